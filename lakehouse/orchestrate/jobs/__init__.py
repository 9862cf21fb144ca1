"""What the engine itself gives to spark-submit. A folder of its own: spark-submit puts it on the path of modules."""

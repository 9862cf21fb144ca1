WITH RECURSIVE tree AS (
    SELECT category_id, name, parent_id, 1 AS level, name AS path, category_id AS root_id, name AS root_name,
           name AS level_1, CAST(NULL AS STRING) AS level_2, CAST(NULL AS STRING) AS level_3
      FROM silver.categories WHERE parent_id IS NULL
    UNION ALL
    SELECT below.category_id, below.name, below.parent_id, tree.level + 1, tree.path || ' > ' || below.name, tree.root_id,
           tree.root_name, tree.level_1, CASE WHEN tree.level = 1 THEN below.name ELSE tree.level_2 END,
           CASE WHEN tree.level = 2 THEN below.name ELSE tree.level_3 END
      FROM silver.categories AS below JOIN tree ON below.parent_id = tree.category_id
)
SELECT category_id, name, parent_id, level, path, root_id, root_name, level_1, level_2, level_3 FROM tree
UNION ALL
SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL

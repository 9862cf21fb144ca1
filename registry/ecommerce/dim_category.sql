-- description: "The tree of categories, flattened: a row for each category with its way from the root."
-- grain: [category_key]
-- columns:
--   category_key: Hash of category_id; -1 for the unknown category.
--   category_id: The shop's number; -1 for the unknown category.
--   name: Name.
--   parent_id: The category above; NULL for a root.
--   level: 1 for a root.
--   path: Names from the root on, with ` > ` between them.
--   root_id: The root of its tree.
--   root_name: Its name.
--   level_1: Name of the ancestor (or itself) at level 1.
--   level_2: The same at level 2; NULL above it.
--   level_3: The same at level 3; NULL above it.
WITH RECURSIVE tree AS (
    SELECT category_id, name, parent_id, 1 AS level, category_id AS root_id, array(name) AS names
      FROM silver.categories WHERE parent_id IS NULL
    UNION ALL
    SELECT below.category_id, below.name, below.parent_id, tree.level + 1, tree.root_id, array_append(tree.names, below.name)
      FROM silver.categories AS below JOIN tree ON below.parent_id = tree.category_id
)
SELECT xxhash64(CAST(category_id AS STRING)) AS category_key, category_id, name, parent_id, level,
       array_join(names, ' > ') AS path, root_id, names[0] AS root_name,
       names[0] AS level_1, get(names, 1) AS level_2, get(names, 2) AS level_3
  FROM tree
UNION ALL
SELECT CAST(-1 AS BIGINT), -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL

#include "catalog/dropped.hpp"

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

// What is gone from schema $1 and not there again under another name or under the same, with the last snapshot that has
// it. The kinds are those of DroppedKind.
const std::string kDropped = R"sql(
WITH object AS (
    SELECT 0 AS kind, table_id AS id, schema_id, table_name AS name, begin_snapshot AS begins, end_snapshot AS ends
      FROM public.ducklake_table
    UNION ALL
    SELECT 1, view_id, schema_id, view_name, begin_snapshot, end_snapshot FROM public.ducklake_view
    UNION ALL
    SELECT CASE WHEN EXISTS (SELECT FROM public.ducklake_macro_impl i WHERE i.macro_id = m.macro_id AND i.type = 'table')
                THEN 3 ELSE 2 END, macro_id, schema_id, macro_name, begin_snapshot, end_snapshot
      FROM public.ducklake_macro m),
dropped AS (
    SELECT o.*, s.end_snapshot AS schema_ends,
           (SELECT pg_catalog.max(a.snapshot_id) FROM public.ducklake_snapshot a
             WHERE a.snapshot_id >= greatest(o.begins, s.begin_snapshot)
               AND a.snapshot_id < least(o.ends, s.end_snapshot)) AS last
      FROM object o JOIN public.ducklake_schema s ON s.schema_id = o.schema_id
     WHERE s.schema_name = $1 AND o.ends IS NOT NULL
       AND NOT EXISTS (SELECT FROM object n WHERE n.kind = o.kind AND n.id = o.id AND n.begins >= o.ends)
       AND NOT EXISTS (SELECT FROM object n JOIN public.ducklake_schema ns ON ns.schema_id = n.schema_id
                        WHERE n.ends IS NULL AND ns.end_snapshot IS NULL AND ns.schema_name = $1 AND n.name = o.name
                          AND (n.kind < 2) = (o.kind < 2)))
SELECT kind, id, schema_id, name, last, (
    SELECT pg_catalog.string_agg(CASE WHEN c.transform = 'identity' THEN k.quoted
                           WHEN c.transform LIKE 'bucket(%)'
                           THEN 'bucket(' || pg_catalog.substring(c.transform, '\d+') || ', ' || k.quoted || ')'
                           ELSE c.transform || '(' || k.quoted || ')' END, ', ' ORDER BY c.partition_key_index)
      FROM public.ducklake_partition_info p
      JOIN public.ducklake_partition_column c ON c.table_id = p.table_id AND c.partition_id = p.partition_id
      JOIN LATERAL (SELECT '"' || pg_catalog.replace(column_name, '"', '""') || '"' AS quoted
                      FROM public.ducklake_column n
                     WHERE n.table_id = c.table_id AND n.column_id = c.column_id AND n.begin_snapshot <= last
                       AND coalesce(n.end_snapshot > last, true)) k ON true
     WHERE kind = 0 AND p.table_id = id AND p.begin_snapshot <= last AND coalesce(p.end_snapshot > last, true)), (
    SELECT pg_catalog.string_agg(e.expression || ' ' || e.sort_direction || ' ' || pg_catalog.replace(e.null_order, '_', ' '), ', '
                      ORDER BY e.sort_key_index)
      FROM public.ducklake_sort_info s
      JOIN public.ducklake_sort_expression e ON e.table_id = s.table_id AND e.sort_id = s.sort_id
     WHERE kind = 0 AND s.table_id = id AND s.begin_snapshot <= last AND coalesce(s.end_snapshot > last, true))
  FROM dropped WHERE last IS NOT NULL AND )sql";

const std::string kOfName = kDropped + "name = $2 AND kind < 2 ORDER BY last DESC LIMIT 1";
const std::string kOfSchema = kDropped + "schema_id = $2::bigint AND ends = schema_ends ORDER BY kind, id";

constexpr const char* kSchemas =
    "SELECT schema_id, end_snapshot IS NULL FROM public.ducklake_schema WHERE schema_name = $1 "
    "ORDER BY end_snapshot IS NOT NULL, end_snapshot DESC";

Result<LakeOptions> options_of(Connection& lake, const std::string& scope, const std::string& id) {
    auto rows = lake.query(
        "SELECT key, value FROM public.ducklake_metadata WHERE scope = $1 AND scope_id = $2::bigint ORDER BY key",
        {scope, id});
    if (!rows) return rows.error();
    LakeOptions options;
    for (const Row& row : *rows) options.emplace_back(*row[0], row[1].value_or(""));
    return options;
}

Result<DroppedObject> object_of(Connection& lake, const Row& row) {
    DroppedObject object{.kind = static_cast<DroppedKind>(std::stoi(*row[0])),
                         .name = *row[3],
                         .last_snapshot = std::stoll(*row[4]),
                         .partition_keys = row[5].value_or(""),
                         .sort_keys = row[6].value_or("")};
    if (object.kind != DroppedKind::table) return object;
    auto options = options_of(lake, "table", *row[1]);
    if (!options) return options.error();
    object.options = std::move(*options);
    return object;
}

Result<Dropped> described(Connection& lake, const std::string& schema, const Rows& objects, const Rows& schemas,
                          const std::string& schema_id) {
    Dropped dropped{.schema = schema, .schema_is_gone = schemas.empty() || schemas.front()[1] == "f"};
    for (const Row& row : objects) {
        auto object = object_of(lake, row);
        if (!object) return object.error();
        dropped.objects.push_back(std::move(*object));
    }
    if (!dropped.schema_is_gone) return dropped;
    auto options = options_of(lake, "schema", schema_id);
    if (!options) return options.error();
    dropped.schema_options = std::move(*options);
    return dropped;
}

Error not_left(const std::string& what) {
    return {ErrorKind::not_found, fmt::format("no dropped {} is left in any snapshot", what),
            "It is still there, has never been, or its snapshots have ended (policy snapshot_age).", ""};
}

}  // namespace

Result<Dropped> find_dropped_table(Connection& lake, const std::string& schema, const std::string& table) {
    const auto schemas = lake.query(kSchemas, {schema});
    if (!schemas) return schemas.error();
    const auto objects = lake.query(kOfName, {schema, table});
    if (!objects) return objects.error();
    if (objects->empty()) return not_left(fmt::format("table {}.{}", schema, table));
    return described(lake, schema, *objects, *schemas, *objects->front()[2]);
}

Result<Dropped> find_dropped_schema(Connection& lake, const std::string& schema) {
    const auto schemas = lake.query(kSchemas, {schema});
    if (!schemas) return schemas.error();
    for (const Row& row : *schemas) {
        if (row[1] == "t") continue;
        const auto objects = lake.query(kOfSchema, {schema, row[0]});
        if (!objects) return objects.error();
        if (objects->empty() && schemas->front()[1] == "t") break;
        return described(lake, schema, *objects, *schemas, *row[0]);
    }
    return not_left("schema " + schema);
}

}  // namespace boathouse::catalog

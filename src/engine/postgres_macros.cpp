#include "engine/postgres_macros.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/parser/parsed_data/create_macro_info.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/create_statement.hpp>

namespace boathouse::engine {

namespace {

const char* const kText[] = {
    R"(initcap(s) AS array_to_string(list_transform(regexp_extract_all(lower(s), '[\p{L}\p{N}]+|[^\p{L}\p{N}]+'),
        lambda w: upper(w[1]) || w[2:]), ''))",
    R"(overlay(s, r, f) AS left(s, f - 1) || r || substr(s, f + length(r)),
        (s, r, f, n) AS left(s, f - 1) || r || substr(s, f + n))",
    R"(quote_literal(s) AS CASE WHEN contains(CAST(s AS VARCHAR), '\')
        THEN 'E''' || replace(replace(CAST(s AS VARCHAR), '\', '\\'), '''', '''''') || ''''
        ELSE '''' || replace(CAST(s AS VARCHAR), '''', '''''') || '''' END)",
    R"(quote_nullable(s) AS coalesce(quote_literal(s), 'NULL'))",
    R"(quote_ident(s) AS CASE WHEN regexp_full_match(s, '[a-z_][a-z0-9_$]*') AND NOT list_contains(['all', 'analyse',
        'analyze', 'and', 'any', 'array', 'as', 'asc', 'asymmetric', 'both', 'case', 'cast', 'check', 'collate',
        'column', 'constraint', 'create', 'default', 'desc', 'distinct', 'do', 'else', 'end', 'except', 'false', 'fetch',
        'for', 'foreign', 'from', 'grant', 'group', 'having', 'in', 'initially', 'intersect', 'into', 'lateral',
        'leading', 'limit', 'not', 'null', 'offset', 'on', 'only', 'or', 'order', 'placing', 'primary', 'references',
        'returning', 'select', 'some', 'symmetric', 'table', 'then', 'to', 'trailing', 'true', 'union', 'unique', 'user',
        'using', 'variadic', 'when', 'where', 'window', 'with'], s)
        THEN s ELSE '"' || replace(s, '"', '""') || '"' END)",
    R"(boathouse_to_hex(n) AS lower(to_hex(n)))",
    R"(boathouse_sha256(b) AS unhex(sha256(b)))",
    R"(boathouse_encode(b, f) AS CASE lower(f) WHEN 'hex' THEN lower(hex(b)) WHEN 'base64' THEN base64(b)
        ELSE error('unrecognized encoding: "' || f || '"') END)",
    R"(boathouse_decode(t, f) AS CASE lower(f) WHEN 'hex' THEN unhex(t) WHEN 'base64' THEN from_base64(t)
        ELSE error('unrecognized encoding: "' || f || '"') END)",
    R"(boathouse_substr(s, f) AS substr(s, greatest(f, 1)),
        (s, f, n) AS CASE WHEN n < 0 THEN error('negative substring length not allowed')
        ELSE substr(s, greatest(f, 1), CASE WHEN f < 1 THEN greatest(f + n - 1, 0) ELSE n END) END)",
    R"(boathouse_chr(n) AS CASE WHEN n = 0 THEN error('null character not permitted') ELSE chr(n) END)",
    R"(boathouse_split_part(s, d, n) AS CASE WHEN n = 0 THEN error('field position must not be zero')
        ELSE split_part(s, d, n) END)",
    R"(boathouse_like_any(s, l) AS CASE WHEN len(l) = 0 THEN false
        ELSE list_aggregate(list_transform(l, lambda p: like_escape(s, p, '\')), 'bool_or') END)",
    R"(boathouse_like_all(s, l) AS CASE WHEN len(l) = 0 THEN true
        ELSE list_aggregate(list_transform(l, lambda p: like_escape(s, p, '\')), 'bool_and') END)",
    R"(boathouse_not_like_any(s, l) AS CASE WHEN len(l) = 0 THEN false
        ELSE list_aggregate(list_transform(l, lambda p: not_like_escape(s, p, '\')), 'bool_or') END)",
    R"(boathouse_ilike_any(s, l) AS CASE WHEN len(l) = 0 THEN false
        ELSE list_aggregate(list_transform(l, lambda p: ilike_escape(s, p, '\')), 'bool_or') END)",
    R"(boathouse_ilike_all(s, l) AS CASE WHEN len(l) = 0 THEN true
        ELSE list_aggregate(list_transform(l, lambda p: ilike_escape(s, p, '\')), 'bool_and') END)",
    R"(boathouse_not_ilike_any(s, l) AS CASE WHEN len(l) = 0 THEN false
        ELSE list_aggregate(list_transform(l, lambda p: not_ilike_escape(s, p, '\')), 'bool_or') END)",
    R"(boathouse_regex_part(s, p, g) AS CASE WHEN regexp_matches(s, p, 's') THEN regexp_extract(s, p, g) END)",
    R"(boathouse_regexp_match(s, p, g) AS CASE WHEN regexp_matches(s, p, 's')
        THEN list_transform(g, lambda n: list_extract(regexp_extract_all(s, p, n), 1)) END)",
    R"(boathouse_regexp_rows(s, p, g, every) AS CASE WHEN NOT regexp_matches(s, p, 's') THEN CAST([] AS VARCHAR[][])
        ELSE list_transform(generate_series(1, CASE WHEN every THEN len(regexp_extract_all(s, p)) ELSE 1 END),
        lambda i: list_transform(g, lambda n: list_extract(regexp_extract_all(s, p, n), i))) END)",
    R"(regexp_instr(s, p) AS CASE WHEN regexp_matches(s, p, 's')
        THEN length(list_extract(regexp_split_to_array(s, p), 1))::INTEGER + 1 ELSE 0 END)",
    R"(convert_from(b, e) AS CASE WHEN upper(replace(e, '-', '')) = 'UTF8' THEN decode(b)
        ELSE error('only UTF8 can be converted from') END)",
    R"(convert_to(s, e) AS CASE WHEN upper(replace(e, '-', '')) = 'UTF8' THEN encode(s)
        ELSE error('only UTF8 can be converted to') END)",
    R"(boathouse_typeof(x) AS coalesce(list_extract(map_extract(MAP {'VARCHAR': 'text', 'DOUBLE': 'double precision',
        'FLOAT': 'real', 'BLOB': 'bytea', 'DECIMAL': 'numeric', 'HUGEINT': 'numeric', 'UHUGEINT': 'numeric',
        'TINYINT': 'smallint', 'UTINYINT': 'smallint', 'USMALLINT': 'integer', 'UINTEGER': 'bigint',
        'UBIGINT': 'numeric', 'BIT': 'bit varying', 'TIMESTAMP': 'timestamp without time zone',
        'TIME': 'time without time zone', 'STRUCT': 'json', 'MAP': 'json', 'UNION': 'json', '"NULL"': 'unknown'},
        regexp_extract(typeof(x), '^[^([]*')), 1), lower(regexp_extract(typeof(x), '^[^([]*'))) ||
        regexp_extract(typeof(x), '(\[\])*$'))",
    R"(regexp_count(s, p) AS len(regexp_extract_all(s, p))::INTEGER)",
    R"(regexp_substr(s, p) AS CASE WHEN regexp_matches(s, p, 's') THEN regexp_extract(s, p) END)",
};

const char* const kNumbers[] = {
    R"(div(a, b) AS CAST(trunc(a / boathouse_divisor(b)) AS HUGEINT))",
    R"(width_bucket(x, lo, hi, n) AS CASE WHEN lo = hi THEN error('lower bound cannot equal upper bound')
        WHEN lo < hi AND x < lo OR lo > hi AND x > lo THEN 0
        WHEN lo < hi AND x >= hi OR lo > hi AND x <= hi THEN CAST(n + 1 AS INTEGER)
        ELSE CAST(floor(CAST(x - lo AS DOUBLE) * n / CAST(hi - lo AS DOUBLE)) AS INTEGER) + 1 END)",
    R"(num_nulls(a) AS (a IS NULL)::INTEGER, (a, b) AS (a IS NULL)::INTEGER + (b IS NULL)::INTEGER,
        (a, b, c) AS (a IS NULL)::INTEGER + (b IS NULL)::INTEGER + (c IS NULL)::INTEGER)",
    R"(num_nonnulls(a) AS (a IS NOT NULL)::INTEGER, (a, b) AS (a IS NOT NULL)::INTEGER + (b IS NOT NULL)::INTEGER,
        (a, b, c) AS (a IS NOT NULL)::INTEGER + (b IS NOT NULL)::INTEGER + (c IS NOT NULL)::INTEGER)",
    R"(to_number(t, f) AS CAST(CASE WHEN trim(t) LIKE '%-' OR trim(t) LIKE '<%>' THEN '-' ELSE '' END ||
        regexp_replace(regexp_replace(trim(t), '-$', ''), '[^-0-9.]', '', 'g') AS DECIMAL(38, 10)))",
};

const char* const kArrays[] = {
    R"(boathouse_array_length(a, d) AS nullif(array_length(a, d), 0))",
    R"(array_upper(a, d) AS nullif(array_length(a, d), 0))",
    R"(array_lower(a, d) AS CASE WHEN array_length(a, d) > 0 THEN 1 END)",
    R"(boathouse_array_to_string(a, d, n) AS array_to_string(list_transform(a, lambda e: coalesce(e::VARCHAR, n)), d))",
    R"(boathouse_string_to_array(s, d) AS CASE WHEN s = '' THEN CAST([] AS VARCHAR[])
        WHEN d IS NULL THEN string_split(s, '') ELSE string_split(s, d) END,
        (s, d, n) AS CASE WHEN s = '' THEN CAST([] AS VARCHAR[])
        ELSE list_transform(string_split(s, d), lambda e: nullif(e, n)) END)",
    R"(array_remove(a, x) AS list_filter(a, lambda e: e IS DISTINCT FROM x))",
    R"(array_replace(a, x, y) AS list_transform(a, lambda e: CASE WHEN e IS NOT DISTINCT FROM x THEN y ELSE e END))",
    R"(array_positions(a, x) AS list_filter(generate_series(1, len(a)), lambda i: a[i] IS NOT DISTINCT FROM x))",
    R"(array_fill(x, d) AS list_transform(generate_series(1, d[1]), lambda i: x))",
    R"(trim_array(a, n) AS a[:len(a) - n])",
    R"(boathouse_subscripts(a, d) AS generate_series(1, array_length(a, d)))",
    R"(array_to_json(a) AS to_json(a))",
};

const char* const kJson[] = {
    R"(boathouse_json_elements(j) AS json_extract(j, '$[*]'))",
    R"(boathouse_json_elements_text(j) AS json_extract_string(j, '$[*]'))",
    R"(json_typeof(j) AS CASE json_type(j) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array'
        WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'
        WHEN NULL THEN NULL ELSE 'number' END)",
    R"(jsonb_typeof(j) AS json_typeof(j))",
    R"(boathouse_json_values(j) AS list_transform(json_keys(j), lambda k: json_extract(j, '/' ||
        replace(replace(k, '~', '~0'), '/', '~1'))))",
    R"(boathouse_json_values_text(j) AS list_transform(json_keys(j), lambda k: json_extract_string(j, '/' ||
        replace(replace(k, '~', '~0'), '/', '~1'))))",
};

const char* const kDates[] = {
    R"(boathouse_date_trunc(f, t, z) AS timezone(z, date_trunc(f, timezone(z, t))))",
    R"(justify_interval(i) AS justify_days(justify_hours(i)))",
    R"(make_interval(years := 0, months := 0, weeks := 0, days := 0, hours := 0, mins := 0, secs := 0) AS
        to_years(years) + to_months(months) + to_weeks(weeks) + to_days(days) + to_hours(hours) + to_minutes(mins) +
        to_microseconds(CAST(round(secs * 1000000) AS BIGINT)))",
    R"(justify_hours(i) AS i + to_days(CAST(trunc(epoch(i - to_months(CAST(datepart('year', i) * 12 + datepart('month', i) AS INTEGER)) - to_days(CAST(datepart('day', i) AS INTEGER))) / 86400) AS INTEGER)) - to_hours(24 * CAST(trunc(epoch(i - to_months(CAST(datepart('year', i) * 12 + datepart('month', i) AS INTEGER)) - to_days(CAST(datepart('day', i) AS INTEGER))) / 86400) AS BIGINT)))",
    R"(justify_days(i) AS CAST(i AS INTERVAL) + to_months(CAST(datepart('day', CAST(i AS INTERVAL)) // 30 AS INTEGER)) - to_days(CAST(datepart('day', CAST(i AS INTERVAL)) // 30 * 30 AS INTEGER)))",
};

// Who the client is, in place of DuckDB's own 'duckdb'.
const char* const kClient[] = {
    "current_user() AS current_setting('session_authorization', true)",
    "session_user() AS current_setting('session_authorization', true)",
    "current_role() AS current_setting('session_authorization', true)",
};

// PostgreSQL's names of types, and what holds their values here.
void add_types(duckdb::Catalog& catalog, duckdb::CatalogTransaction transaction) {
    const std::pair<const char*, duckdb::LogicalType> kTypes[] = {
        {"jsonb", duckdb::LogicalType::JSON()},
        {"name", duckdb::LogicalType::VARCHAR},
    };
    for (const auto& [name, type] : kTypes) {
        duckdb::CreateTypeInfo info(name, type);
        info.schema = DEFAULT_SCHEMA;
        info.internal = true;
        info.on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
        catalog.CreateType(transaction, info);
    }
}

template <std::size_t N>
void add_macros(duckdb::Catalog& catalog, duckdb::CatalogTransaction transaction, const char* const (&macros)[N],
                duckdb::OnCreateConflict on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT) {
    for (const char* const macro : macros) {
        duckdb::Parser parser;
        parser.ParseQuery(std::string("CREATE MACRO ") + macro);
        auto& info = parser.statements.at(0)->Cast<duckdb::CreateStatement>().info->Cast<duckdb::CreateMacroInfo>();
        info.schema = DEFAULT_SCHEMA;
        info.internal = true;
        info.on_conflict = on_conflict;
        catalog.CreateFunction(transaction, info);
    }
}

}  // namespace

void install_postgres_macros(duckdb::DatabaseInstance& database) {
    duckdb::Catalog& catalog = duckdb::Catalog::GetSystemCatalog(database);
    const duckdb::CatalogTransaction transaction = duckdb::CatalogTransaction::GetSystemTransaction(database);
    add_types(catalog, transaction);
    add_macros(catalog, transaction, kText);
    add_macros(catalog, transaction, kNumbers);
    add_macros(catalog, transaction, kArrays);
    add_macros(catalog, transaction, kJson);
    add_macros(catalog, transaction, kDates);
    add_macros(catalog, transaction, kClient, duckdb::OnCreateConflict::REPLACE_ON_CONFLICT);
}

}  // namespace boathouse::engine

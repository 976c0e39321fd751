#include "upgrade/contents.hpp"

#include <algorithm>

namespace boathouse::upgrade {
namespace {

// Memberships from before may be more afterwards (keep_role_administration), so each is an entry of its own that is
// looked for, by name; a digest stands for a verifier, so that none is ever told.
constexpr const char* kRoles = R"sql(
SELECT 'role ' || rolname, pg_catalog.concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
       rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil, pg_catalog.md5(rolpassword),
       (SELECT pg_catalog.string_agg(s.setconfig::text, ' ' ORDER BY s.setconfig) FROM pg_catalog.pg_db_role_setting s
         WHERE s.setrole = a.oid AND s.setdatabase = 0))
  FROM pg_catalog.pg_authid a WHERE NOT pg_catalog.starts_with(rolname, 'pg_')
UNION ALL
SELECT DISTINCT 'member ' || pg_catalog.pg_get_userbyid(m.member) || ' of ' || pg_catalog.pg_get_userbyid(m.roleid), ''
  FROM pg_catalog.pg_auth_members m
 WHERE NOT pg_catalog.starts_with(pg_catalog.pg_get_userbyid(m.member), 'pg_')
)sql";

constexpr const char* kTables = R"sql(
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(n.nspname, 'pg_') ORDER BY 1)sql";

constexpr const char* kOthers = R"sql(
SELECT 'sequence ' || schemaname || '.' || sequencename, last_value::text FROM pg_catalog.pg_sequences
UNION ALL
SELECT 'functions in ' || n.nspname, pg_catalog.count(*)::text
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT pg_catalog.starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema' GROUP BY n.nspname
UNION ALL
SELECT 'triggers', pg_catalog.count(*)::text FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'event triggers', pg_catalog.count(*)::text FROM pg_catalog.pg_event_trigger
UNION ALL
SELECT 'indexes in ' || schemaname, pg_catalog.count(*)::text FROM pg_catalog.pg_indexes
 WHERE NOT pg_catalog.starts_with(schemaname, 'pg_') GROUP BY schemaname
)sql";

Result<Contents> read_pairs(catalog::Connection& connection, const char* sql) {
    const auto rows = connection.query(sql);
    if (!rows) return rows.error();
    Contents contents;
    for (const catalog::Row& row : *rows) contents.emplace_back(row[0].value_or(""), row[1].value_or(""));
    std::sort(contents.begin(), contents.end());
    return contents;
}

}  // namespace

Result<Contents> read_roles(catalog::Connection& superuser) {
    return read_pairs(superuser, kRoles);
}

Result<Contents> read_database(catalog::Connection& superuser) {
    auto contents = read_pairs(superuser, kOthers);
    if (!contents) return contents;
    const auto tables = superuser.query(kTables);
    if (!tables) return tables.error();
    for (const catalog::Row& table : *tables) {
        const std::string name = table[0].value_or("");
        const auto rows = superuser.query("SELECT pg_catalog.count(*) FROM " + name);
        if (!rows) return rows.error();
        contents->emplace_back("rows of " + name, rows->at(0)[0].value_or(""));
    }
    std::sort(contents->begin(), contents->end());
    return contents;
}

std::string first_difference(const Contents& before, const Contents& after) {
    for (const auto& entry : before) {
        const auto same = std::lower_bound(after.begin(), after.end(), std::make_pair(entry.first, std::string()));
        if (same == after.end() || same->first != entry.first) return entry.first + " is missing";
        if (same->second == entry.second) continue;
        const bool is_count = entry.second.find_first_not_of("0123456789") == std::string::npos;
        return entry.first + (is_count ? ": " + entry.second + " became " + same->second : " is not the same");
    }
    return "";
}

}  // namespace boathouse::upgrade

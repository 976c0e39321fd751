#include "access/facts.hpp"

#include <boost/json.hpp>

namespace boathouse::access {

namespace json = boost::json;
using catalog::Connection;
using catalog::Rows;

namespace {

constexpr int kVersionWithInheritOption = 160000;

// Each of these has one row: the snapshot and the facts as JSON, NULL where the object is not there.
std::string dated(const std::string& facts) {
    return "SELECT pg_catalog.pg_current_snapshot(), (" + facts + ")";
}

// An access list as [[grantee, privilege] …]. `defaults`: what a NULL stands for.
std::string grants(const std::string& acl) {
    return "(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(e.grantee::bigint, e.privilege_type)) "
           "FROM pg_catalog.aclexplode(" +
           acl + ") e)";
}

std::string grants_or_default(char kind, const std::string& acl, const std::string& owner) {
    return grants("coalesce(" + acl + ", pg_catalog.acldefault('" + kind + "', " + owner + "))");
}

std::string present_sql() {
    return "SELECT pg_catalog.pg_current_snapshot(), CASE WHEN snapshot IS NOT NULL AND restored THEN schema_version "
           "END "
           "FROM pg_boathouse.state";
}

std::string role_sql(int server_version) {
    const std::string inherits = server_version >= kVersionWithInheritOption
                                     ? "m.inherit_option"
                                     : "(SELECT g.rolinherit FROM pg_catalog.pg_roles g WHERE g.oid = m.member)";
    return "WITH RECURSIVE mine(oid) AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1 UNION "
           "SELECT m.roleid FROM mine JOIN pg_catalog.pg_auth_members m ON m.member = mine.oid AND " +
           inherits + ") " +
           dated(
               "SELECT pg_catalog.json_build_object("
               "'roles', (SELECT pg_catalog.json_agg(mine.oid::bigint) FROM mine), 'superuser', r.rolsuper, "
               "'names', (SELECT pg_catalog.json_agg(n.rolname) FROM mine JOIN pg_catalog.pg_roles n USING (oid) "
               "WHERE n.rolname IN ('lake_admin', 'pg_read_all_data', 'pg_write_all_data'))) "
               "FROM pg_catalog.pg_roles r WHERE r.rolname = $1");
}

std::string schema_object() {
    return "pg_catalog.json_build_object('name', n.nspname, 'owner', n.nspowner::bigint, 'grants', " +
           grants_or_default('n', "n.nspacl", "n.nspowner") + ")";
}

std::string relation_sql(const std::string& condition) {
    const std::string columns =
        "(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(coalesce(a.lake_name, p.attname), " +
        grants("p.attacl") +
        ")) FROM pg_catalog.pg_attribute p LEFT JOIN pg_boathouse.attribute a ON a.relation = r.id AND "
        "a.name = p.attname WHERE p.attrelid = r.oid AND p.attacl IS NOT NULL)";
    return dated(
        "SELECT pg_catalog.json_build_object('view', r.view IS NOT NULL, 'owner', c.relowner::bigint, "
        "'owner_name', (SELECT o.rolname FROM pg_catalog.pg_roles o WHERE o.oid = c.relowner), 'grants', " +
        grants_or_default('r', "c.relacl", "c.relowner") + ", 'columns', " + columns + ", 'schema', " +
        schema_object() +
        ") FROM pg_boathouse.relation r JOIN pg_boathouse.schema s ON s.id = r.schema "
        "JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE " +
        condition);
}

std::string macro_sql() {
    return dated(
        "SELECT pg_catalog.json_build_object('owner', f.proowner::bigint) FROM pg_boathouse.macro m "
        "JOIN pg_boathouse.schema s ON s.id = m.schema JOIN pg_catalog.pg_namespace n ON n.nspname = s.name "
        "JOIN pg_catalog.pg_proc f ON f.pronamespace = n.oid AND f.proname = m.name "
        "WHERE s.lake_name = $1 AND m.name = $2 LIMIT 1");
}

std::string schema_sql() {
    return dated("SELECT " + schema_object() +
                 " FROM pg_boathouse.schema s JOIN pg_catalog.pg_namespace n ON n.nspname = s.name "
                 "WHERE s.lake_name = $1");
}

std::string database_sql() {
    return dated("SELECT pg_catalog.json_build_object('owner', d.datdba::bigint, 'grants', " +
                 grants_or_default('d', "d.datacl", "d.datdba") +
                 ") FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()");
}

Oid oid_of(const json::value& number) {
    return static_cast<Oid>(number.to_number<std::int64_t>());
}

Grants read_grants(const json::value& list) {
    Grants grants;
    if (!list.is_array()) return grants;
    for (const json::value& grant : list.as_array()) {
        const Privilege privilege = privilege_named(std::string_view(grant.as_array().at(1).as_string()));
        if (privilege != Privilege::none) grants.push_back({oid_of(grant.as_array().at(0)), privilege});
    }
    return grants;
}

RoleFacts read_role(const json::object& object) {
    RoleFacts facts;
    facts.is_superuser = object.at("superuser").as_bool();
    for (const json::value& role : object.at("roles").as_array()) facts.roles.insert(oid_of(role));
    if (!object.at("names").is_array()) return facts;
    for (const json::value& name : object.at("names").as_array()) {
        facts.is_lake_admin = facts.is_lake_admin || name.as_string() == "lake_admin";
        facts.reads_all = facts.reads_all || name.as_string() == "pg_read_all_data";
        facts.writes_all = facts.writes_all || name.as_string() == "pg_write_all_data";
    }
    return facts;
}

SchemaFacts read_schema(const json::object& object) {
    SchemaFacts facts;
    facts.owner = oid_of(object.at("owner"));
    if (const json::value* grants = object.if_contains("grants")) facts.grants = read_grants(*grants);
    if (const json::value* name = object.if_contains("name")) facts.name = std::string_view(name->as_string());
    return facts;
}

RelationFacts read_relation(const json::object& object) {
    RelationFacts facts;
    facts.is_view = object.at("view").as_bool();
    facts.owner = oid_of(object.at("owner"));
    facts.owner_name = std::string_view(object.at("owner_name").as_string());
    facts.grants = read_grants(object.at("grants"));
    facts.schema = read_schema(object.at("schema").as_object());
    if (!object.at("columns").is_array()) return facts;
    for (const json::value& column : object.at("columns").as_array()) {
        facts.columns.emplace(std::string_view(column.as_array().at(0).as_string()),
                              read_grants(column.as_array().at(1)));
    }
    return facts;
}

}  // namespace

Result<FactReader> FactReader::open(const catalog::Endpoint& mirror) {
    auto opened = Connection::open(mirror);
    if (!opened) return opened.error();
    Connection connection = std::move(*opened);
    const std::pair<const char*, std::string> statements[] = {
        {"present", present_sql()},
        {"role", role_sql(connection.server_version())},
        {"relation", relation_sql("s.lake_name = $1 AND r.lake_name = $2")},
        {"numbered", relation_sql("r.id = $1::bigint")},
        {"schema", schema_sql()},
        {"macro", macro_sql()},
        {"database", database_sql()},
    };
    for (const auto& [name, sql] : statements) {
        if (auto prepared = connection.prepare(name, sql); !prepared) return prepared.error();
    }
    return FactReader(std::move(connection));
}

Status FactReader::ask_present() {
    return connection_.send_prepared("present");
}

Result<Present> FactReader::receive_present() {
    auto rows = connection_.receive();
    if (!rows) return rows.error();
    Present present;
    if (rows->empty()) return present;
    present.snapshot = rows->front()[0].value_or("");
    if (rows->front()[1]) present.schema_version = std::stoll(*rows->front()[1]);
    return present;
}

template <typename Facts, typename Read>
Result<Dated<Facts>> FactReader::ask(const char* statement, const std::vector<std::optional<std::string>>& parameters,
                                     Read read) {
    if (auto sent = connection_.send_prepared(statement, parameters); !sent) return sent.error();
    auto rows = connection_.receive();
    if (!rows) return rows.error();
    Dated<Facts> answer;
    answer.snapshot = rows->at(0)[0].value_or("");
    if (!rows->at(0)[1]) return answer;
    boost::system::error_code failed;
    const json::value value = json::parse(*rows->at(0)[1], failed);
    if (failed) return Error{ErrorKind::internal, "PostgreSQL's answer about privileges cannot be read", "", ""};
    answer.facts = read(value.as_object());
    return answer;
}

Result<Dated<RoleFacts>> FactReader::role(const std::string& name) {
    return ask<RoleFacts>("role", {name}, read_role);
}

Result<Dated<RelationFacts>> FactReader::relation(const std::string& schema, const std::string& name) {
    return ask<RelationFacts>("relation", {schema, name}, read_relation);
}

Result<Dated<RelationFacts>> FactReader::relation(long long number) {
    return ask<RelationFacts>("numbered", {std::to_string(number)}, read_relation);
}

Result<Dated<SchemaFacts>> FactReader::schema(const std::string& name) {
    return ask<SchemaFacts>("schema", {name}, read_schema);
}

Result<Dated<SchemaFacts>> FactReader::macro(const std::string& schema, const std::string& name) {
    return ask<SchemaFacts>("macro", {schema, name}, read_schema);
}

Result<Dated<SchemaFacts>> FactReader::database() {
    return ask<SchemaFacts>("database", {}, read_schema);
}

}  // namespace boathouse::access

#include "mirror/database.hpp"

#include "base/log.hpp"
#include "catalog/bootstrap.hpp"
#include "mirror/privileges.hpp"

namespace boathouse::mirror {

using catalog::Connection;

namespace {

// Raised whenever kContents or the meaning of what the tables hold changes.
constexpr const char* kFormat = "3";

// %I of the owner and of the database stand for {owner} and {database}.
constexpr const char* kContents = R"sql(
SET LOCAL allow_system_table_mods = on;
CREATE SCHEMA pg_boathouse AUTHORIZATION boathouse_mirror;
SET LOCAL allow_system_table_mods = off;

CREATE TABLE pg_boathouse.state (
    format text NOT NULL, owner text NOT NULL,
    snapshot bigint, snapshot_time text, schema_version bigint, restored boolean NOT NULL DEFAULT false);
CREATE TABLE pg_boathouse.schema (id bigint PRIMARY KEY, name text NOT NULL, lake_name text NOT NULL);
CREATE TABLE pg_boathouse.relation (
    id bigint PRIMARY KEY, schema bigint NOT NULL, name text NOT NULL, lake_name text NOT NULL,
    oid oid NOT NULL, comment text NOT NULL, view text);
CREATE TABLE pg_boathouse.attribute (
    relation bigint NOT NULL, id bigint NOT NULL, position int NOT NULL, lake_name text NOT NULL, name text NOT NULL,
    type oid NOT NULL, modifier int NOT NULL, not_null bool NOT NULL,
    default_literal text NOT NULL, default_expression text NOT NULL, comment text NOT NULL,
    PRIMARY KEY (relation, id));
CREATE TABLE pg_boathouse.macro (
    id bigint NOT NULL, schema bigint NOT NULL, name text NOT NULL, arguments text NOT NULL);
CREATE INDEX ON pg_boathouse.macro (id);
ALTER TABLE pg_boathouse.state OWNER TO boathouse_mirror;
ALTER TABLE pg_boathouse.schema OWNER TO boathouse_mirror;
ALTER TABLE pg_boathouse.relation OWNER TO boathouse_mirror;
ALTER TABLE pg_boathouse.attribute OWNER TO boathouse_mirror;
ALTER TABLE pg_boathouse.macro OWNER TO boathouse_mirror;

-- A table's row estimate is the system's, so a superuser's function sets it: for the mirror's tables, and for them alone.
CREATE FUNCTION pg_boathouse.set_statistics(tables bigint[], row_counts real[], page_counts int[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $boathouse$
    UPDATE pg_class c SET reltuples = s.row_count, relpages = s.page_count
      FROM unnest(tables, row_counts, page_counts) AS s(id, row_count, page_count)
      JOIN pg_boathouse.relation r ON r.id = s.id
     WHERE c.oid = r.oid AND c.oid >= 16384 AND c.relkind = 'r'
       AND (c.reltuples, c.relpages) IS DISTINCT FROM (s.row_count, s.page_count)
$boathouse$;

CREATE FUNCTION pg_boathouse.refuse_ddl() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
BEGIN
    -- Who may do what is PostgreSQL's to decide; an owner changes by a statement that does nothing else.
    IF TG_TAG IN ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'REASSIGN OWNED')
       OR TG_TAG LIKE 'ALTER %' AND current_query() ~* '^\s*alter\s+(table|view|materialized\s+view|foreign\s+table|schema|function|routine)\s+(if\s+exists\s+)?(only\s+)?("[^"]*"|[^\s".(,]+)(\s*\.\s*("[^"]*"|[^\s".(,]+))*\s*(\([^()]*\))?\s+owner\s+to\s' THEN
        RETURN;
    END IF;
    IF session_user NOT IN ('boathouse', 'boathouse_mirror') THEN
        RAISE EXCEPTION '% is not possible in the mirror of the lake', TG_TAG
            USING ERRCODE = 'insufficient_privilege', HINT = 'The lake itself is changed by its own statements.';
    END IF;
END
$boathouse$;
REVOKE ALL ON FUNCTION pg_boathouse.set_statistics(bigint[], real[], int[]), pg_boathouse.refuse_ddl() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_boathouse.set_statistics(bigint[], real[], int[]) TO boathouse_mirror;
CREATE EVENT TRIGGER boathouse_refuse ON ddl_command_start EXECUTE FUNCTION pg_boathouse.refuse_ddl();

-- What the group roles may do on the catalog's port, the mirror says of its tables.
ALTER SCHEMA public OWNER TO {owner};
GRANT USAGE ON SCHEMA public TO PUBLIC;
GRANT CREATE ON SCHEMA public TO lake_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO lake_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT CREATE ON SCHEMAS TO lake_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO lake_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT INSERT, UPDATE, DELETE ON TABLES TO lake_writer;
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO lake_reader;
GRANT CONNECT, CREATE ON DATABASE {database} TO {owner} WITH GRANT OPTION;
INSERT INTO pg_boathouse.state (format, owner) VALUES ({format}, {owner_name});
)sql";

enum class Existing { absent, unusable, ready };

Result<Connection> connect_as_superuser(const config::Settings& settings, const std::string& database) {
    auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    endpoint->database = database;
    return Connection::open(*endpoint);
}

// What the database of the mirror's name is.
Result<Existing> inspect(Connection& server, const config::Settings& settings) {
    const std::string name = catalog::mirror_database(settings);
    // A database whose drop was cut short takes no connections: PostgreSQL marks it by a limit of -2, and lets it only
    // be dropped. https://www.postgresql.org/docs/release/15.4/
    auto rows = server.query(
        "SELECT pg_catalog.pg_get_userbyid(datdba) = 'boathouse_mirror', datconnlimit = -2 "
        "FROM pg_catalog.pg_database WHERE datname = $1",
        {name});
    if (!rows) return rows.error();
    if (rows->empty()) return Existing::absent;
    if (rows->front().front() != "t") {
        return Error{
            ErrorKind::conflict,
            fmt::format("the catalog's PostgreSQL holds a database \"{}\" that is not the lake's mirror", name),
            "Rename that database: until then tools see the lake through DuckDB's system catalogs.", ""};
    }
    if (rows->front()[1] == "t") return Existing::unusable;
    auto mirror = connect_as_superuser(settings, name);
    if (!mirror) return mirror.error();
    // Its own table, and of a type that nobody else can have made: reading it runs no code.
    auto state = mirror->query("SELECT format, owner FROM pg_boathouse.state");
    if (!state)
        return mirror->last_sqlstate().starts_with("42") || mirror->last_sqlstate().starts_with("3F")
                   ? Result<Existing>(Existing::unusable)
                   : Result<Existing>(state.error());
    const bool ready =
        state->size() == 1 && state->front()[0] == kFormat && state->front()[1] == settings.postgres_user;
    return ready ? Existing::ready : Existing::unusable;
}

std::string filled(std::string text, const std::string& placeholder, const std::string& value) {
    for (std::size_t at = text.find(placeholder); at != std::string::npos;
         at = text.find(placeholder, at + value.size())) {
        text.replace(at, placeholder.size(), value);
    }
    return text;
}

Status fill(const config::Settings& settings) {
    const std::string name = catalog::mirror_database(settings);
    auto mirror = connect_as_superuser(settings, name);
    if (!mirror) return mirror.error();
    std::string contents = filled(kContents, "{owner}", mirror->identifier(settings.postgres_user));
    contents = filled(std::move(contents), "{owner_name}", mirror->literal(settings.postgres_user));
    contents = filled(std::move(contents), "{database}", mirror->identifier(name));
    contents = filled(std::move(contents), "{format}", mirror->literal(kFormat));
    return mirror->execute("BEGIN;" + contents + kPrivilegeFunctions + "COMMIT");
}

}  // namespace

Result<Connection> connect_to_arrange(const config::Settings& settings) {
    return connect_as_superuser(settings, catalog::mirror_database(settings));
}

Status prepare_database(const config::Settings& settings) {
    auto server = connect_as_superuser(settings, "postgres");
    if (!server) return server.error();
    auto existing = inspect(*server, settings);
    if (!existing) return existing.error();
    if (*existing == Existing::ready) return {};
    // Also one that an earlier start left half made.
    if (auto dropped = catalog::drop_mirror(*server, settings); !dropped) return dropped;
    auto created = server->execute("CREATE DATABASE " + server->identifier(catalog::mirror_database(settings)) +
                                   " OWNER boathouse_mirror ENCODING 'UTF8' TEMPLATE template0");
    if (!created) return created;
    return fill(settings);
}

}  // namespace boathouse::mirror

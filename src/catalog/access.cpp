#include "catalog/access.hpp"

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

// Run at each start. What is granted already is left alone, so a start takes no lock that a busy client could hold.
constexpr const char* kDatabaseAccess = R"sql(
DO $boathouse$
DECLARE
    database text := pg_catalog.current_database();
BEGIN
    EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database);
    -- The postgres extension puts the rows of an UPDATE into a temporary table first; ducklake's set_option does.
    EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO lake_writer', database);
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO lake_reader;
    GRANT CREATE ON SCHEMA public TO lake_writer;
END
$boathouse$)sql";

constexpr const char* kConnect = R"sql(
DO $boathouse$
BEGIN
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO lake_reader', pg_catalog.current_database());
END
$boathouse$)sql";

// Hands one ducklake_ table to the role that should own it, and lets readers read and writers write it.
constexpr const char* kAdoptTable = R"sql(
CREATE SCHEMA IF NOT EXISTS boathouse;
CREATE OR REPLACE FUNCTION boathouse.adopt_table(relation oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    name text;
    owner oid;
    wanted text;
BEGIN
    SELECT relname, relowner INTO STRICT name, owner FROM pg_class WHERE oid = relation;
    wanted := CASE WHEN name ~ '^ducklake_inlined_(data|delete)_[0-9]' THEN 'lake_writer' ELSE 'lake_admin' END;
    IF owner <> wanted::regrole THEN
        EXECUTE format('ALTER TABLE public.%I OWNER TO %I', name, wanted);
    END IF;
    IF NOT has_table_privilege('lake_reader', relation, 'SELECT') THEN
        EXECUTE format('GRANT SELECT ON public.%I TO lake_reader', name);
    END IF;
    IF NOT (has_table_privilege('lake_writer', relation, 'INSERT')
            AND has_table_privilege('lake_writer', relation, 'UPDATE')
            AND has_table_privilege('lake_writer', relation, 'DELETE')) THEN
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON public.%I TO lake_writer', name);
    END IF;
END
$boathouse$;
REVOKE ALL ON FUNCTION boathouse.adopt_table(oid) FROM PUBLIC;
)sql";

// DuckLake's own DDL is CREATE TABLE with plain columns, and DROP TABLE; a writer needs no more. A default or a check
// would be evaluated as whoever inserts.
constexpr const char* kEventTriggers = R"sql(
CREATE OR REPLACE FUNCTION boathouse.adopt_new_tables() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $boathouse$
BEGIN
    PERFORM boathouse.adopt_table(c.oid)
       FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.oid = d.objid
      WHERE d.object_type = 'table' AND d.schema_name = 'public' AND c.relname LIKE 'ducklake\_%';
END
$boathouse$;

CREATE OR REPLACE FUNCTION boathouse.refuse_ddl() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    command record;
BEGIN
    IF pg_has_role(current_user, 'lake_admin', 'MEMBER') THEN
        RETURN;
    END IF;
    FOR command IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        IF command.command_tag NOT IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE INDEX') THEN
            RAISE EXCEPTION '% is for members of lake_admin in the catalog''s database', command.command_tag
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'A lake_writer may create and drop tables; the rest of the catalog is DuckLake''s.';
        END IF;
        IF EXISTS (SELECT FROM pg_attrdef WHERE adrelid = command.objid)
           OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = command.objid AND contype NOT IN ('p', 'u', 'n')) THEN
            RAISE EXCEPTION 'tables with defaults or checks are for members of lake_admin in the catalog''s database'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
END
$boathouse$;
REVOKE ALL ON FUNCTION boathouse.adopt_new_tables(), boathouse.refuse_ddl() FROM PUBLIC;

DO $boathouse$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'boathouse_adopt') THEN
        CREATE EVENT TRIGGER boathouse_adopt ON ddl_command_end
            WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
            EXECUTE FUNCTION boathouse.adopt_new_tables();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'boathouse_refuse') THEN
        CREATE EVENT TRIGGER boathouse_refuse ON ddl_command_end EXECUTE FUNCTION boathouse.refuse_ddl();
    END IF;
END
$boathouse$;
)sql";

constexpr const char* kAdoptExisting = R"sql(
SELECT boathouse.adopt_table(oid) FROM pg_catalog.pg_class
 WHERE relnamespace = 'public'::pg_catalog.regnamespace AND relkind = 'r' AND relname LIKE 'ducklake\_%'
)sql";

// Without a superuser: grants on what is there, and default privileges for each writer that we may act for.
constexpr const char* kPlainGrants = R"sql(
GRANT SELECT ON ALL TABLES IN SCHEMA public TO lake_reader;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO lake_writer;
DO $boathouse$
DECLARE
    writer name;
BEGIN
    FOR writer IN
        SELECT rolname FROM pg_catalog.pg_roles
         WHERE (rolname = current_user OR pg_catalog.pg_has_role(oid, 'lake_writer', 'MEMBER'))
           AND pg_catalog.pg_has_role(current_user, oid, 'MEMBER') AND NOT rolsuper
    LOOP
        EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public '
                                  'GRANT SELECT ON TABLES TO lake_reader', writer);
        EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public '
                                  'GRANT INSERT, UPDATE, DELETE ON TABLES TO lake_writer', writer);
    END LOOP;
END
$boathouse$;
)sql";

Result<bool> group_roles_exist(Connection& connection) {
    auto rows = connection.query(
        "SELECT count(*) = 3 FROM pg_catalog.pg_roles WHERE rolname IN ('lake_reader', 'lake_writer', 'lake_admin')");
    if (!rows) return rows.error();
    return rows->front().front() == "t";
}

Status grant_as_superuser(Connection& connection) {
    for (const char* sql : {kAdoptTable, kEventTriggers, kAdoptExisting}) {
        if (auto done = connection.execute(sql); !done) return done;
    }
    return {};
}

// What an external catalog's administrator does not allow stays as it is.
Status grant_if_permitted(Connection& connection, const char* sql) {
    auto done = connection.execute(sql);
    if (done || done.error().kind != ErrorKind::permission) return done;
    log_warning("catalog", "the external catalog's privileges stay as they are: {}", done.error().message);
    return {};
}

}  // namespace

Status grant_database_access(Connection& connection) {
    return grant_if_permitted(connection, kDatabaseAccess);
}

Status grant_access(Connection& connection) {
    auto roles = group_roles_exist(connection);
    if (!roles) return roles.error();
    if (!*roles) return {};  // an external catalog without them; prepare_server has said so
    return connection.is_superuser() ? grant_as_superuser(connection) : grant_if_permitted(connection, kPlainGrants);
}

Status let_clients_in(Connection& connection) {
    auto roles = group_roles_exist(connection);
    if (!roles) return roles.error();
    return *roles ? grant_if_permitted(connection, kConnect) : Status();
}

}  // namespace boathouse::catalog

#include "mirror/privileges.hpp"

namespace boathouse::mirror {

using catalog::Connection;

const char* const kPrivilegeFunctions = R"sql(
-- Everything in the mirror that has an owner and an access list: kind, number in the lake, how SQL calls it, owner,
-- access list. Columns with a list of their own come as their table's rows with a column's name.
CREATE VIEW pg_boathouse.owned AS
SELECT 'TABLE'::text AS kind, r.id, c.oid::pg_catalog.regclass::text AS name, c.relowner AS owner,
       coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS acl, NULL::text AS column_name
  FROM pg_boathouse.relation r JOIN pg_catalog.pg_class c ON c.oid = r.oid
UNION ALL
SELECT 'TABLE', r.id, c.oid::pg_catalog.regclass::text, c.relowner, a.attacl, a.attname
  FROM pg_boathouse.relation r JOIN pg_catalog.pg_class c ON c.oid = r.oid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
UNION ALL
SELECT 'SCHEMA', s.id, pg_catalog.quote_ident(n.nspname), n.nspowner,
       coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), NULL
  FROM pg_boathouse.schema s JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
UNION ALL
SELECT 'FUNCTION', m.id, f.oid::pg_catalog.regprocedure::text, f.proowner,
       coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner)), NULL
  FROM pg_boathouse.macro m JOIN pg_boathouse.schema s ON s.id = m.schema
  JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
  JOIN pg_catalog.pg_proc f ON f.pronamespace = n.oid AND f.proname = m.name
UNION ALL
SELECT 'DATABASE', 0, pg_catalog.quote_ident(d.datname), d.datdba,
       coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)), NULL
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database();

CREATE FUNCTION pg_boathouse.grants(acl aclitem[]) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $boathouse$
    SELECT coalesce(json_agg(json_build_object(
               'grantor', pg_get_userbyid(e.grantor),
               'grantee', CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee) END,
               'privilege', e.privilege_type, 'grantable', e.is_grantable)), '[]')
      FROM aclexplode(acl) e
$boathouse$;

-- Gives an object, or a column, exactly these grants, each by who granted it. Runs in a superuser's own session, which
-- may be anybody. A role that is not there any more costs its grants and nothing else.
CREATE PROCEDURE pg_boathouse.set_grants(kind text, name text, present aclitem[], column_name text, wanted json)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    entry record;
    of_column text := CASE WHEN column_name IS NULL THEN '' ELSE format(' (%I)', column_name) END;
BEGIN
    FOR entry IN SELECT DISTINCT grantee, grantor FROM aclexplode(present) LOOP
        EXECUTE format('SET LOCAL ROLE %I', pg_get_userbyid(entry.grantor));
        EXECUTE format('REVOKE ALL%s ON %s %s FROM %s CASCADE', of_column, kind, name,
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(entry.grantee)) END);
        RESET ROLE;
    END LOOP;
    FOR entry IN SELECT * FROM json_to_recordset(wanted)
                     AS x(grantor text, grantee text, privilege text, grantable bool) LOOP
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', entry.grantor);
            EXECUTE format('GRANT %s%s ON %s %s TO %s%s', entry.privilege, of_column, kind, name,
                           CASE WHEN entry.grantee IS NULL THEN 'PUBLIC' ELSE quote_ident(entry.grantee) END,
                           CASE WHEN entry.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        EXCEPTION WHEN undefined_object OR invalid_parameter_value OR insufficient_privilege OR invalid_grant_operation THEN
            RAISE NOTICE 'left out: % on % to %', entry.privilege, name, entry.grantee;
        END;
        RESET ROLE;
    END LOOP;
END
$boathouse$;

-- What belongs to a role boathouse_mirror may alter and drop, as the lake changes, only as a member of it.
CREATE PROCEDURE pg_boathouse.act_for(owner text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
BEGIN
    IF NOT pg_has_role('boathouse_mirror', owner, 'USAGE') THEN
        EXECUTE format('GRANT %I TO boathouse_mirror', owner);
    END IF;
END
$boathouse$;

CREATE PROCEDURE pg_boathouse.set_owner(kind text, name text, owner text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
BEGIN
    IF kind <> 'DATABASE' AND EXISTS (SELECT FROM pg_roles WHERE rolname = owner AND NOT rolsuper) THEN
        EXECUTE format('ALTER %s %s OWNER TO %I', kind, name, owner);
        CALL pg_boathouse.act_for(owner);
    END IF;
END
$boathouse$;

-- As if `role` had made the object itself: its default privileges, everywhere and in the schema.
CREATE PROCEDURE pg_boathouse.hand_over(of_kind text, of_id bigint, role text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    object record;
    owner oid := (SELECT oid FROM pg_roles WHERE rolname = role AND NOT rolsuper);
    letter "char" := CASE of_kind WHEN 'TABLE' THEN 'r' WHEN 'SCHEMA' THEN 'n' ELSE 'f' END;
    wanted aclitem[];
    present aclitem[];
BEGIN
    IF owner IS NULL THEN  -- a superuser needs no ownership, and boathouse_mirror must not act for one
        RETURN;
    END IF;
    FOR object IN SELECT * FROM pg_boathouse.owned o WHERE o.kind = of_kind AND o.id = of_id AND o.column_name IS NULL LOOP
        CALL pg_boathouse.set_owner(object.kind, object.name, role);
        SELECT coalesce((SELECT d.defaclacl FROM pg_default_acl d
                          WHERE d.defaclrole = owner AND d.defaclnamespace = 0 AND d.defaclobjtype = letter),
                        acldefault(letter, owner))
               || coalesce((SELECT d.defaclacl FROM pg_default_acl d
                             WHERE d.defaclrole = owner AND d.defaclobjtype = letter AND of_kind <> 'SCHEMA'
                               AND d.defaclnamespace = (SELECT n.oid FROM pg_boathouse.relation r
                                                          JOIN pg_boathouse.schema s ON s.id = r.schema
                                                          JOIN pg_namespace n ON n.nspname = s.name
                                                         WHERE r.id = of_id)),
                           '{}') INTO wanted;
        SELECT o.acl INTO present FROM pg_boathouse.owned o
         WHERE o.kind = of_kind AND o.id = of_id AND o.name = object.name AND o.column_name IS NULL;
        CALL pg_boathouse.set_grants(object.kind, object.name, present, NULL, pg_boathouse.grants(wanted));
    END LOOP;
END
$boathouse$;

-- What was written down, as pg_boathouse.owned gives it, with the grants as JSON.
CREATE PROCEDURE pg_boathouse.restore(kept json)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    entry record;
    present aclitem[];
BEGIN
    FOR entry IN SELECT k.*, o.name FROM json_to_recordset(kept)
                     AS k(kind text, id bigint, owner text, column_name text, grants json)
                   JOIN pg_boathouse.owned o ON o.kind = k.kind AND o.id = k.id AND o.column_name IS NULL
                  ORDER BY k.column_name IS NOT NULL LOOP
        IF entry.column_name IS NULL THEN
            CALL pg_boathouse.set_owner(entry.kind, entry.name, entry.owner);
        END IF;
        present := NULL;
        IF entry.column_name IS NULL THEN
            SELECT o.acl INTO present FROM pg_boathouse.owned o
             WHERE o.kind = entry.kind AND o.id = entry.id AND o.name = entry.name AND o.column_name IS NULL;
        END IF;
        CALL pg_boathouse.set_grants(entry.kind, entry.name, present, entry.column_name, entry.grants);
    END LOOP;
END
$boathouse$;

-- ALTER DEFAULT PRIVILEGES of others than the lake's owner, and the lake owner's own.
CREATE PROCEDURE pg_boathouse.restore_defaults(kept json)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    entry record;
    grants record;
BEGIN
    FOR entry IN SELECT DISTINCT pg_get_userbyid(d.defaclrole) AS role, d.defaclobjtype AS letter, e.grantee
                   FROM pg_default_acl d, aclexplode(d.defaclacl) e
                  WHERE d.defaclnamespace = 0 AND e.grantee <> d.defaclrole LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM %s', entry.role,
            CASE entry.letter WHEN 'r' THEN 'TABLES' WHEN 'n' THEN 'SCHEMAS' ELSE 'FUNCTIONS' END,
            CASE entry.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(entry.grantee)) END);
    END LOOP;
    FOR entry IN SELECT k.*, s.name FROM json_to_recordset(kept) AS k(role text, schema bigint, letter text, grants json)
                   LEFT JOIN pg_boathouse.schema s ON s.id = k.schema
                  WHERE (k.schema IS NULL OR s.id IS NOT NULL)
                    AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = k.role) LOOP
        FOR grants IN SELECT * FROM json_to_recordset(entry.grants) AS x(grantee text, privilege text, grantable bool) LOOP
            BEGIN
                EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s', entry.role,
                    CASE WHEN entry.name IS NULL THEN '' ELSE format(' IN SCHEMA %I', entry.name) END, grants.privilege,
                    CASE entry.letter WHEN 'r' THEN 'TABLES' WHEN 'n' THEN 'SCHEMAS' ELSE 'FUNCTIONS' END,
                    CASE WHEN grants.grantee IS NULL THEN 'PUBLIC' ELSE quote_ident(grants.grantee) END,
                    CASE WHEN grants.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
            EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN
                RAISE NOTICE 'left out: default % of % to %', grants.privilege, entry.role, grants.grantee;
            END;
        END LOOP;
    END LOOP;
END
$boathouse$;
REVOKE ALL ON FUNCTION pg_boathouse.grants(aclitem[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_boathouse.grants(aclitem[]) TO boathouse_mirror;
REVOKE ALL ON PROCEDURE pg_boathouse.set_grants(text, text, aclitem[], text, json),
    pg_boathouse.act_for(text), pg_boathouse.set_owner(text, text, text), pg_boathouse.hand_over(text, bigint, text),
    pg_boathouse.restore(json), pg_boathouse.restore_defaults(json) FROM PUBLIC;
ALTER VIEW pg_boathouse.owned OWNER TO boathouse_mirror;
)sql";

namespace {

constexpr const char* kPlace = R"sql(
CREATE SCHEMA IF NOT EXISTS mirror;
CREATE TABLE IF NOT EXISTS mirror.kept (
    at timestamptz NOT NULL, objects json NOT NULL, defaults json NOT NULL, uuids json NOT NULL);
)sql";

constexpr const char* kObjects = R"sql(
SELECT coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('kind', o.kind, 'id', o.id,
           'owner', pg_catalog.pg_get_userbyid(o.owner), 'column_name', o.column_name,
           'grants', pg_boathouse.grants(o.acl))) FROM pg_boathouse.owned o), '[]'),
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
           'role', pg_catalog.pg_get_userbyid(d.defaclrole), 'schema', s.id, 'letter', d.defaclobjtype,
           'grants', pg_boathouse.grants(d.defaclacl)))
          FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
          LEFT JOIN pg_boathouse.schema s ON s.name = n.nspname), '[]'))sql";

// Which object a number stands for.
constexpr const char* kUuids = R"sql(
SELECT coalesce(pg_catalog.json_object_agg(id, uuid), '{}') FROM (
    SELECT table_id AS id, table_uuid AS uuid FROM public.ducklake_table WHERE end_snapshot IS NULL
    UNION ALL SELECT view_id, view_uuid FROM public.ducklake_view WHERE end_snapshot IS NULL
    UNION ALL SELECT schema_id, schema_uuid FROM public.ducklake_schema WHERE end_snapshot IS NULL
    UNION ALL SELECT macro_id, NULL FROM public.ducklake_macro WHERE end_snapshot IS NULL) AS o)sql";

// $1: the lake's numbers and UUIDs now. The newest record, without what is another object by now.
constexpr const char* kKept = R"sql(
SELECT (SELECT coalesce(pg_catalog.json_agg(e), '[]') FROM pg_catalog.json_array_elements(k.objects) e
         WHERE e->>'kind' = 'DATABASE' OR (k.uuids::jsonb ? (e->>'id') AND $1::jsonb ? (e->>'id')
               AND k.uuids->>(e->>'id') IS NOT DISTINCT FROM $1::json->>(e->>'id'))),
       k.defaults
  FROM mirror.kept k ORDER BY k.at DESC LIMIT 1)sql";

// Numbers of what was made in a snapshot: $1, of schema $2 and name $3, for each kind.
constexpr const char* kMadeRelation = R"sql(
SELECT o.id FROM public.ducklake_schema s JOIN (
    SELECT schema_id, table_id, table_name, begin_snapshot, end_snapshot FROM public.ducklake_table
    UNION ALL SELECT schema_id, view_id, view_name, begin_snapshot, end_snapshot FROM public.ducklake_view)
    AS o(schema, id, name, begins, ends) ON o.schema = s.schema_id
 WHERE o.begins = $1::bigint AND s.schema_name = $2 AND o.name = $3)sql";
constexpr const char* kMadeMacro = R"sql(
SELECT m.macro_id FROM public.ducklake_macro m JOIN public.ducklake_schema s USING (schema_id)
 WHERE m.begin_snapshot = $1::bigint AND s.schema_name = $2 AND m.macro_name = $3)sql";
constexpr const char* kMadeSchema = R"sql(
SELECT schema_id FROM public.ducklake_schema WHERE begin_snapshot = $1::bigint AND schema_name = $2)sql";

// What PostgreSQL would warn of is meant: a REVOKE of what another has taken along.
const std::string kBegin = "BEGIN; SET LOCAL log_min_messages = error;\n";

Result<std::string> one_value(Connection& connection, const char* sql,
                              const std::vector<std::optional<std::string>>& parameters = {}) {
    auto rows = connection.query(sql, parameters);
    if (!rows) return rows.error();
    return rows->empty() ? std::string() : rows->front().front().value_or("");
}

Result<catalog::Rows> numbers_of(Connection& lake, const Making& making, const access::Made& made) {
    switch (made.kind) {
        case access::ObjectKind::schema:
            return lake.query(kMadeSchema, {making.snapshot, made.schema});
        case access::ObjectKind::macro:
            return lake.query(kMadeMacro, {making.snapshot, made.schema, made.name});
        default:
            return lake.query(kMadeRelation, {making.snapshot, made.schema, made.name});
    }
}

const char* word_for(access::ObjectKind kind) {
    if (kind == access::ObjectKind::schema) return "SCHEMA";
    return kind == access::ObjectKind::macro ? "FUNCTION" : "TABLE";
}

}  // namespace

Result<std::vector<std::string>> strange_owners(Connection& mirror) {
    auto rows = mirror.query(
        "SELECT DISTINCT r.rolname FROM pg_boathouse.owned o JOIN pg_catalog.pg_roles r ON r.oid = o.owner "
        "WHERE NOT r.rolsuper AND NOT pg_catalog.pg_has_role('boathouse_mirror', r.oid, 'USAGE')");
    if (!rows) return rows.error();
    std::vector<std::string> owners;
    for (const catalog::Row& row : *rows) owners.push_back(row.front().value_or(""));
    return owners;
}

Status act_for(Connection& mirror, const std::vector<std::string>& owners) {
    std::string sql;
    for (const std::string& owner : owners) sql += "CALL pg_boathouse.act_for(" + mirror.literal(owner) + ");\n";
    return mirror.execute(sql);
}

Status keep_privileges(Connection& mirror, Connection& lake, Connection& box) {
    auto objects = mirror.query(kObjects);
    if (!objects) return objects.error();
    auto uuids = one_value(lake, kUuids);
    if (!uuids) return uuids.error();
    if (auto placed = box.execute(kPlace); !placed) return placed;
    // One statement: a reader sees the record before or the one after.
    auto kept = box.query(
        "WITH gone AS (DELETE FROM mirror.kept) "
        "INSERT INTO mirror.kept VALUES (pg_catalog.clock_timestamp(), $1::json, $2::json, $3::json)",
        {objects->front()[0], objects->front()[1], *uuids});
    return kept ? Status() : Status(kept.error());
}

Status restore_privileges(Connection& mirror, Connection& lake, Connection& box) {
    if (auto placed = box.execute(kPlace); !placed) return placed;
    auto uuids = one_value(lake, kUuids);
    if (!uuids) return uuids.error();
    auto kept = box.query(kKept, {*uuids});
    if (!kept) return kept.error();
    std::string sql = kBegin;
    if (!kept->empty()) {
        sql += "CALL pg_boathouse.restore_defaults(" + mirror.literal(kept->front()[1].value_or("[]")) + ");\n";
        sql += "CALL pg_boathouse.restore(" + mirror.literal(kept->front()[0].value_or("[]")) + ");\n";
    }
    return mirror.execute(sql + "UPDATE pg_boathouse.state SET restored = true;\nCOMMIT");
}

Status hand_over(Connection& mirror, Connection& lake, const Making& making) {
    std::string sql;
    for (const access::Made& made : making.made) {
        if (made.is_renamed) continue;
        auto numbers = numbers_of(lake, making, made);
        if (!numbers) return numbers.error();
        for (const catalog::Row& row : *numbers) {
            sql += std::string("CALL pg_boathouse.hand_over('") + word_for(made.kind) + "', " +
                   row.front().value_or("-1") + ", " + mirror.literal(making.role) + ");\n";
        }
    }
    return sql.empty() ? Status() : mirror.execute(kBegin + sql + "COMMIT");
}

}  // namespace boathouse::mirror

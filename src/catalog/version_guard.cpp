#include "catalog/version_guard.hpp"

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

constexpr const char* kGuard = R"sql(
CREATE SCHEMA IF NOT EXISTS boathouse;
CREATE OR REPLACE FUNCTION boathouse.guard_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $boathouse$
DECLARE
    refused boolean;
BEGIN
    refused := CASE TG_OP
        WHEN 'INSERT' THEN NEW.key = 'version'
        WHEN 'DELETE' THEN OLD.key = 'version'
        WHEN 'UPDATE' THEN (OLD.key = 'version' OR NEW.key = 'version')
                           AND (OLD.key, OLD.value) IS DISTINCT FROM (NEW.key, NEW.value)
        ELSE true
    END;
    IF refused THEN
        RAISE EXCEPTION 'the version of this lake''s catalog is guarded: a catalog that was migrated can never be opened by older clients again'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Attach without AUTOMATIC_MIGRATION. To migrate on purpose, run `boathouse migrate` on the box first.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$boathouse$;
CREATE TRIGGER boathouse_guard_version BEFORE INSERT OR UPDATE OR DELETE ON public.ducklake_metadata
    FOR EACH ROW EXECUTE FUNCTION boathouse.guard_version();
CREATE TRIGGER boathouse_guard_truncate BEFORE TRUNCATE ON public.ducklake_metadata
    FOR EACH STATEMENT EXECUTE FUNCTION boathouse.guard_version();
)sql";

}  // namespace

Result<GuardState> read_version_guard(Connection& connection) {
    auto rows = connection.query(
        "SELECT tgenabled FROM pg_catalog.pg_trigger WHERE tgname = 'boathouse_guard_version' "
        "AND tgrelid = pg_catalog.to_regclass('public.ducklake_metadata')");
    if (!rows) return rows.error();
    if (rows->empty()) return GuardState::absent;
    return rows->front().front() == "D" ? GuardState::lifted : GuardState::active;
}

Status install_version_guard(Connection& connection) {
    auto state = read_version_guard(connection);
    if (!state) return state.error();
    switch (*state) {
        case GuardState::active:
            return {};
        case GuardState::lifted:
            log_warning("catalog",
                        "the guard on the catalog's version is lifted; `boathouse migrate --lock` puts it back");
            return {};
        case GuardState::absent:
            break;
    }
    auto created = connection.execute(kGuard);
    if (!created && created.error().kind == ErrorKind::permission) {
        log_warning("catalog", "the catalog's version stays unguarded: {}", created.error().message);
        return {};
    }
    return created;
}

Status set_version_guard(Connection& connection, bool active) {
    auto state = read_version_guard(connection);
    if (!state) return state.error();
    if (*state == GuardState::absent) {
        return Error{ErrorKind::not_found, "The catalog's version has no guard", "Start the box once: it installs it.",
                     ""};
    }
    const std::string verb = active ? "ENABLE" : "DISABLE";
    return connection.execute("ALTER TABLE public.ducklake_metadata " + verb + " TRIGGER boathouse_guard_version, " +
                              verb + " TRIGGER boathouse_guard_truncate");
}

}  // namespace boathouse::catalog

#include "catalog/give_way.hpp"

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

// A client's transaction reads ducklake_snapshot first and holds its lock to the end, so the exclusive lock is had only
// while nobody else is in one; whoever begins meanwhile waits for the keeper's commit, and sees it. It is taken before
// the snapshot's row is written: by then a flush has the rows that it has written out locked, a client's delete may
// wait for one of them, and the row's primary key would have the keeper wait for that client, until PostgreSQL ends the
// one who has waited longer. DuckLake tries again what fails with the words "unique", "conflict", "concurrent",
// "primary key": the messages avoid them.
constexpr const char* kTrigger = R"sql(
CREATE SCHEMA IF NOT EXISTS boathouse;
CREATE OR REPLACE FUNCTION boathouse.give_way() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '150ms' AS $boathouse$
DECLARE
    about json;
BEGIN
    IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted
                AND transactionid = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'the keeper gives way: another transaction waits for its rows';
    END IF;
    BEGIN
        LOCK TABLE public.ducklake_snapshot IN ACCESS EXCLUSIVE MODE;
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION 'the keeper gives way: other transactions are open on the lake';
    END;
    IF TG_TABLE_NAME = 'ducklake_snapshot' THEN
        RETURN NEW;
    END IF;
    about := NEW.commit_extra_info::json;
    IF EXISTS (SELECT FROM public.ducklake_snapshot_changes
                WHERE snapshot_id > (about->>'snapshot')::bigint AND snapshot_id <> NEW.snapshot_id
                  AND changes_made ~ ('(deleted_from_table|inlined_delete|altered_table|dropped_table|merge_adjacent|'
                                      'rewrite_delete|inline_flush):' || (about->>'table_id') || '(,|$)')) THEN
        RAISE EXCEPTION 'the keeper gives way: table % has changed since it began', about->>'table_id';
    END IF;
    RETURN NEW;
END
$boathouse$;
CREATE OR REPLACE TRIGGER boathouse_give_way BEFORE INSERT ON public.ducklake_snapshot_changes
    FOR EACH ROW WHEN (NEW.author = 'boathouse keeper') EXECUTE FUNCTION boathouse.give_way();
CREATE OR REPLACE TRIGGER boathouse_give_way BEFORE INSERT ON public.ducklake_snapshot
    FOR EACH ROW WHEN (pg_catalog.current_setting('application_name') = 'boathouse keeper')
    EXECUTE FUNCTION boathouse.give_way();
)sql";

}  // namespace

Result<bool> has_give_way(Connection& connection) {
    auto rows = connection.query(
        "SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname = 'boathouse_give_way' AND tgenabled <> 'D' "
        "AND tgrelid = pg_catalog.to_regclass('public.ducklake_snapshot')");
    if (!rows) return rows.error();
    return !rows->empty();
}

Status install_give_way(Connection& connection) {
    const auto there = has_give_way(connection);
    if (!there) return there.error();
    if (*there) return {};
    auto created = connection.execute(kTrigger);
    if (created || created.error().kind != ErrorKind::permission) return created;
    log_info("catalog", "the lake is not compacted: the box may not make a trigger on it: {}", created.error().message);
    return {};
}

}  // namespace boathouse::catalog

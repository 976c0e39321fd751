#include "service/box_functions.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "engine/box_functions.hpp"
#include "feed/consumers.hpp"
#include "keeper/connections.hpp"
#include "keeper/journal.hpp"
#include "keeper/policy.hpp"
#include "keeper/survey.hpp"
#include "service/undo_functions.hpp"

namespace boathouse::service {
namespace {

using engine::BoxFunction;
using engine::BoxRows;
using Arguments = std::vector<std::string>;

keeper::Scope scope_of(const std::string& schema, const std::string& table) {
    // As a client names it: the lake's main may be called public.
    return {schema.empty() && !table.empty() ? "main" : schema, table};
}

Result<BoxRows> answer(const Status& status, const std::string& text) {
    if (!status) return status.error();
    return BoxRows{{text}};
}

Result<BoxRows> keeper_runs(keeper::Connections& databases) {
    const auto runs = keeper::read_runs(databases.box, 10'000);
    if (!runs) return runs.error();
    BoxRows rows;
    for (const keeper::Run& run : *runs) {
        rows.push_back({std::to_string(run.id), run.started_at, fmt::format("{}", run.seconds), run.job,
                        run.schema.empty() ? std::optional<std::string>() : run.schema,
                        run.table.empty() ? std::optional<std::string>() : run.table, run.why, run.outcome,
                        std::to_string(run.files_before), std::to_string(run.files_after),
                        std::to_string(run.bytes_before), std::to_string(run.bytes_after), std::to_string(run.rows),
                        run.error.empty() ? std::optional<std::string>() : run.error});
    }
    return rows;
}

Result<BoxRows> tags(keeper::Connections& databases) {
    const auto read = keeper::read_tags(databases.box);
    if (!read) return read.error();
    BoxRows rows;
    for (const keeper::Tag& tag : *read) rows.push_back({tag.name, std::to_string(tag.snapshot), tag.created_at});
    return rows;
}

Result<BoxRows> policies(keeper::Connections& databases) {
    const auto read = keeper::read_policies(databases.both());
    if (!read) return read.error();
    BoxRows rows;
    for (const config::PolicyRow& row : config::policy_rows()) {
        rows.push_back({std::string(row.key), std::nullopt, std::nullopt, read->text(row.key), read->origin(row.key),
                        std::string(row.prose)});
    }
    for (const keeper::PolicySetting& setting : read->for_parts()) {
        const auto table = setting.scope.table.empty() ? std::optional<std::string>() : setting.scope.table;
        rows.push_back({setting.key, setting.scope.schema, table, setting.value, setting.origin,
                        std::string(config::find_policy(setting.key)->prose)});
    }
    return rows;
}

Result<BoxRows> set_policy(keeper::Connections& databases, const Arguments& given) {
    const keeper::Scope scope = scope_of(given[2], given[3]);
    return answer(keeper::set_policy(databases.both(), {given[0], scope, given[1]}),
                  fmt::format("{} is {} for the {}", given[0], given[1], to_text(scope)));
}

Result<BoxRows> unset_policy(keeper::Connections& databases, const Arguments& given) {
    const keeper::Scope scope = scope_of(given[1], given[2]);
    return answer(keeper::unset_policy(databases.both(), given[0], scope),
                  fmt::format("{} is no longer set for the {}", given[0], to_text(scope)));
}

Result<BoxRows> create_tag(keeper::Connections& databases, const Arguments& given) {
    const auto newest = keeper::newest_snapshot(databases.lake);
    if (!newest) return newest.error();
    return answer(keeper::create_tag(databases.box, given[0], *newest),
                  fmt::format("snapshot {} is kept as {}", *newest, given[0]));
}

Result<BoxRows> drop_tag(keeper::Connections& databases, const Arguments& given) {
    return answer(keeper::drop_tag(databases.box, given[0]), given[0] + " is dropped");
}

Result<BoxRows> consumers(keeper::Connections& databases) {
    const auto newest = keeper::newest_snapshot(databases.lake);
    if (!newest) return newest.error();
    const auto read = feed::read_consumers(databases.box);
    if (!read) return read.error();
    BoxRows rows;
    for (const feed::Consumer& one : *read)
        rows.push_back({one.name, one.owner, one.schema, one.table, feed::to_text(one.position),
                        std::to_string(std::max(0LL, *newest + 1 - one.position.snapshot)), one.acknowledged_at});
    return rows;
}

Result<BoxRows> drop_consumer(keeper::Connections& databases, const Arguments& given) {
    return answer(feed::drop_consumer(databases.box, given[0]), given[0] + " is dropped");
}

std::vector<BoxFunction> relations() {
    return {
        {.name = "keeper_runs",
         .columns = {{"id", "BIGINT"},
                     {"started_at", "TIMESTAMP"},
                     {"seconds", "DOUBLE"},
                     {"job", "VARCHAR"},
                     {"schema_name", "VARCHAR"},
                     {"table_name", "VARCHAR"},
                     {"why", "VARCHAR"},
                     {"outcome", "VARCHAR"},
                     {"files_before", "BIGINT"},
                     {"files_after", "BIGINT"},
                     {"bytes_before", "BIGINT"},
                     {"bytes_after", "BIGINT"},
                     {"rows", "BIGINT"},
                     {"error", "VARCHAR"}}},
        {.name = "tags", .columns = {{"name", "VARCHAR"}, {"snapshot_id", "BIGINT"}, {"created_at", "TIMESTAMP"}}},
        {.name = "policies",
         .columns = {{"policy", "VARCHAR"},
                     {"schema_name", "VARCHAR"},
                     {"table_name", "VARCHAR"},
                     {"value", "VARCHAR"},
                     {"origin", "VARCHAR"},
                     {"meaning", "VARCHAR"}}},
        {.name = "consumers",
         .columns = {{"name", "VARCHAR"},
                     {"owner", "VARCHAR"},
                     {"schema_name", "VARCHAR"},
                     {"table_name", "VARCHAR"},
                     {"position", "VARCHAR"},
                     {"lag", "BIGINT"},
                     {"acknowledged_at", "TIMESTAMP"}}},
    };
}

BoxFunction procedure(const std::string& name, std::vector<std::string> parameters, std::size_t optional_from) {
    return {.name = name,
            .columns = {{"result", "VARCHAR"}},
            .parameters = std::move(parameters),
            .optional_from = optional_from,
            .changes = true};
}

using Body = Result<BoxRows> (*)(keeper::Connections&, const Arguments&);

}  // namespace

Status add_box_functions(engine::Lake& lake, const config::Settings& settings) {
    std::vector<BoxFunction> functions = relations();
    functions.push_back(procedure("set_policy", {"policy", "value", "schema_name", "table_name"}, 2));
    functions.push_back(procedure("unset_policy", {"policy", "schema_name", "table_name"}, 1));
    functions.push_back(procedure("create_tag", {"name"}, 1));
    functions.push_back(procedure("drop_tag", {"name"}, 1));
    functions.push_back(procedure("drop_consumer", {"name"}, 1));
    const Body bodies[] = {[](keeper::Connections& databases, const Arguments&) { return keeper_runs(databases); },
                           [](keeper::Connections& databases, const Arguments&) { return tags(databases); },
                           [](keeper::Connections& databases, const Arguments&) { return policies(databases); },
                           [](keeper::Connections& databases, const Arguments&) { return consumers(databases); },
                           set_policy,
                           unset_policy,
                           create_tag,
                           drop_tag,
                           drop_consumer};
    for (std::size_t i = 0; i < functions.size(); ++i) {
        functions[i].rows = [settings, body = bodies[i]](const Arguments& arguments) -> Result<BoxRows> {
            auto databases = keeper::open_connections(settings);
            if (!databases) return databases.error();
            return body(*databases, arguments);
        };
    }
    for (BoxFunction& function : undo_functions(lake, settings)) functions.push_back(std::move(function));
    return engine::add_box_functions(lake, std::move(functions));
}

}  // namespace boathouse::service

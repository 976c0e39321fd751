// The relations and procedures of the schema "boathouse" at the SQL door: keeper_runs, tags, policies,
// consumers, set_policy, unset_policy, create_tag, drop_tag, drop_consumer.
//
// Each call has connections of its own to PostgreSQL, as the engine's role. Called by the engine's main thread at
// start.
#pragma once

#include "config/settings.hpp"
#include "engine/lake.hpp"

namespace boathouse::service {

Status add_box_functions(engine::Lake& lake, const config::Settings& settings);

}  // namespace boathouse::service

// The maker of a table, a view, a schema or a macro owns it, as in PostgreSQL.
//
// The lake knows no owners, so the mirror is told once the making is committed; until then, and after a crash in
// between, it is the lake's owner's. Blocks on the catalog; a failure is logged here.
#pragma once

#include <string>

#include "base/error.hpp"
#include "engine/session.hpp"
#include "relay/relay.hpp"

namespace boathouse::gateway {

// What `session` has made and committed becomes the role's. An error: it stays the lake's owner's, and why.
Status hand_over_made(engine::Session& session, relay::Exchange& exchange, const std::string& role);

}  // namespace boathouse::gateway

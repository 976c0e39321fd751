#include "engine/attach.hpp"

#include <spdlog/fmt/fmt.h>

namespace boathouse::engine {
catalog::Endpoint bounded(catalog::Endpoint endpoint) {
    endpoint.parameters["connect_timeout"] = "10";
    endpoint.parameters["keepalives_idle"] = "30";
    endpoint.parameters["tcp_user_timeout"] = "30000";
    return endpoint;
}

Status attach(Database& database, const catalog::Endpoint& endpoint, AttachMode mode, const std::string& data_path) {
    // The password goes by a secret, not by the connection string, which duckdb_databases() shows.
    std::string options = "META_SECRET 'boathouse_catalog'";
    const bool creates = mode == AttachMode::create || mode == AttachMode::create_encrypted;
    if (creates) options += ", DATA_PATH " + literal(data_path);
    if (mode == AttachMode::create_encrypted) options += ", ENCRYPTED";
    if (mode == AttachMode::read_only) options += ", READ_ONLY";
    const std::string password = endpoint.password.empty() ? "" : ", PASSWORD " + literal(endpoint.password.reveal());
    auto attached = database.query("CREATE OR REPLACE SECRET boathouse_catalog (TYPE postgres" + password + ")");
    if (attached) {
        attached = database.query("ATTACH " + literal("ducklake:postgres:" + bounded(endpoint).conninfo()) +
                                  " AS lake (" + options + ")");
    }
    if (attached) return {};
    return Error{ErrorKind::unavailable,
                 fmt::format("the lake in database \"{}\" cannot be {}: {}", endpoint.database,
                             creates ? "created" : "opened", attached.error().message),
                 "PostgreSQL's own log says more about what it refused.", attached.error().detail};
}

}  // namespace boathouse::engine

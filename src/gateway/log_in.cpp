// From the start-up packet to the first ReadyForQuery: protocol "Start-up" and "SASL Authentication"
// (https://www.postgresql.org/docs/15/protocol-flow.html, …/sasl-authentication.html).
#include <algorithm>

#include "base/log.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using pgwire::Buffer;
using pgwire::Frame;

namespace {

// How long a failed log-in waits for its answer.
constexpr std::chrono::milliseconds kFailureDelay{500};
constexpr std::size_t kNonceBytes = 18;
constexpr const char* kScram = "SCRAM-SHA-256";
constexpr const char* kScramPlus = "SCRAM-SHA-256-PLUS";

// Start-up parameters that are not settings.
bool is_connection_parameter(const std::string& name) {
    return name == "user" || name == "database" || name == "replication" || name == "options";
}

// "-c name=value -c other=value" of the parameter "options".
std::vector<std::pair<std::string, std::string>> command_line_settings(const std::string& options) {
    std::vector<std::string> words(1);
    for (std::size_t i = 0; i < options.size(); ++i) {
        if (options[i] == '\\' && i + 1 < options.size()) {
            words.back() += options[++i];
        } else if (options[i] != ' ') {
            words.back() += options[i];
        } else if (!words.back().empty()) {
            words.emplace_back();
        }
    }
    std::vector<std::pair<std::string, std::string>> settings;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string assignment = words[i];
        if (assignment == "-c" && i + 1 < words.size()) {
            assignment = words[++i];
        } else if (assignment.starts_with("-c") || assignment.starts_with("--")) {
            assignment.erase(0, 2);
        }
        const std::size_t equals = assignment.find('=');
        if (equals != std::string::npos)
            settings.emplace_back(assignment.substr(0, equals), assignment.substr(equals + 1));
    }
    return settings;
}

}  // namespace

void Session::refuse(Buffer& out, const std::string& sqlstate, const std::string& message, const std::string& hint,
                     const std::string& reason_for_log) {
    log_warning("gateway", "log-in of \"{}\" from {} refused: {}", user_, peer_.address, reason_for_log);
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = sqlstate;
    report.message = message;
    report.hint = hint;
    pgwire::put_report(out, report);
    last_answer_delay_ = kFailureDelay;
    closed_ = true;
}

void Session::start(const Frame& frame, Buffer& out) {
    const auto startup = pgwire::decode_startup(frame);
    if (!startup) return protocol_error(startup.error().message, out);
    if (!accept_startup(*startup, out)) return;

    auto role = services_.roles.find(user_);
    if (!role) {
        log_error("gateway", role.error());
        return refuse(out, "57P03", "the catalog, which knows the passwords, does not answer",
                      "Try again; if it stays so, see the box's log.", "the catalog does not answer");
    }
    auto verifier = pgwire::parse_scram_verifier(*role ? (*role)->verifier : "");
    pgwire::ScramServer::Options options;
    options.doomed = !verifier;
    options.verifier = verifier ? *verifier : pgwire::invented_scram_verifier(user_, services_.invented_salt_secret);
    options.plus_offered = !peer_.certificate_hash.empty();
    options.channel_binding_data = peer_.certificate_hash;
    options.server_nonce = pgwire::base64_encode(pgwire::random_bytes(kNonceBytes));
    if (*role) role_ = **role;

    std::vector<std::string> mechanisms;
    if (options.plus_offered) mechanisms.push_back(kScramPlus);
    mechanisms.push_back(kScram);
    pgwire::put_authentication_sasl(out, mechanisms);
    scram_.emplace(std::move(options));
    phase_ = Phase::scram_first;
}

bool Session::accept_startup(const pgwire::Startup& startup, Buffer& out) {
    const std::int32_t major = startup.version >> 16;
    const std::int32_t minor = startup.version & 0xFFFF;
    const auto parameter = [&](const char* name) {
        const auto entry = startup.parameters.find(name);
        return entry == startup.parameters.end() ? std::string() : entry->second;
    };
    if (major != pgwire::kProtocolMajor) {
        protocol_error("unsupported frontend protocol " + std::to_string(major) + "." + std::to_string(minor) +
                           ": server supports 3.0",
                       out);
        return false;
    }
    user_ = parameter("user");
    if (user_.empty()) {
        refuse(out, "28000", "no PostgreSQL user name specified in startup packet", "", "no user name");
        return false;
    }
    if (!parameter("replication").empty() && parameter("replication") != "false" && parameter("replication") != "off") {
        refuse(out, "0A000", "replication is not served on this port", "", "replication asked for");
        return false;
    }
    const std::string database = parameter("database").empty() ? user_ : parameter("database");
    if (std::find(services_.database_names.begin(), services_.database_names.end(), database) ==
        services_.database_names.end()) {
        refuse(out, "3D000", "database \"" + database + "\" does not exist",
               "The lake's name is \"" + services_.database_names.front() + "\".",
               "unknown database \"" + database + "\"");
        return false;
    }
    std::vector<std::string> unknown;
    for (const auto& [name, value] : startup.parameters) {
        if (name.starts_with("_pq_.")) unknown.push_back(name);
    }
    if (minor > 0 || !unknown.empty()) pgwire::put_negotiate_version(out, 0, unknown);

    settings_.emplace(user_);
    auto wanted = command_line_settings(parameter("options"));
    for (const auto& [name, value] : startup.parameters) {
        if (!is_connection_parameter(name) && !name.starts_with("_pq_.")) wanted.emplace_back(name, value);
    }
    for (const auto& [name, value] : wanted) {
        const auto change = settings_->check(name, {value});
        if (!change) {
            refuse(out, change.error().sqlstate, change.error().message, change.error().hint, change.error().message);
            return false;
        }
        settings_->make_default(*change);
    }
    return true;
}

void Session::scram_first(const Frame& frame, Buffer& out) {
    if (frame.type != 'p') return protocol_error("expected SASL response", out);
    const auto initial = pgwire::decode_sasl_initial(frame);
    if (!initial) return protocol_error(initial.error().message, out);
    const bool plus = initial->mechanism == kScramPlus;
    if (!plus && initial->mechanism != kScram) return protocol_error("client selected an invalid SASL mechanism", out);
    const auto reply = scram_->first(initial->response.value_or(""), plus);
    if (!reply) return protocol_error(reply.error().message, out);
    pgwire::put_authentication_sasl_continue(out, *reply);
    phase_ = Phase::scram_final;
}

void Session::scram_final(const Frame& frame, Buffer& out) {
    if (frame.type != 'p') return protocol_error("expected SASL response", out);
    const auto reply = scram_->final(frame.body);
    scram_.reset();
    if (!reply) {
        return refuse(out, "28P01", "password authentication failed for user \"" + user_ + "\"", "",
                      reply.error().message);
    }
    if (!role_.may_log_in) {
        return refuse(out, "28000", "role \"" + user_ + "\" is not permitted to log in", "", "the role may not log in");
    }
    if (!role_.is_lake_admin) {
        return refuse(
            out, "28000", "role \"" + user_ + "\" is not permitted to use the SQL door",
            "This version admits members of lake_admin only, because it does not check privileges on single tables "
            "yet. Other roles reach the lake through the catalog's port.",
            "not a member of lake_admin");
    }
    pgwire::put_authentication_sasl_final(out, *reply);
    welcome(out);
}

void Session::welcome(Buffer& out) {
    pgwire::put_authentication_ok(out);
    for (const auto& [name, value] : settings_->reported()) pgwire::put_parameter_status(out, name, value);
    cancel_key_ = services_.cancels.add(peer_.cancel);
    pgwire::put_backend_key(out, cancel_key_->process_id, cancel_key_->secret_key);
    phase_ = Phase::ready;
    log_debug("gateway", "\"{}\" logged in from {}{}", user_, peer_.address, peer_.encrypted ? " over TLS" : "");
    pgwire::put_ready(out, transaction_status());
}

}  // namespace boathouse::gateway

#include "gateway/log_in.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "pgwire/backend.hpp"

namespace boathouse::gateway {

using pgwire::Buffer;
using pgwire::Frame;
using Step = LogIn::Step;

namespace {

// How long a refusal waits for its answer.
constexpr std::chrono::milliseconds kRefusalDelay{500};
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

std::string parameter(const pgwire::Startup& startup, const char* name) {
    const auto entry = startup.parameters.find(name);
    return entry == startup.parameters.end() ? std::string() : entry->second;
}

Step protocol_error(const std::string& message, Buffer& out) {
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = "08P01";
    report.message = message;
    pgwire::put_report(out, report);
    return Step::refused;
}

}  // namespace

Step LogIn::handle(const Frame& frame, Buffer& out) {
    answer_delay_ = std::chrono::milliseconds(0);
    switch (phase_) {
        case Phase::start:
            return start(frame, out);
        case Phase::scram_first:
            return scram_first(frame, out);
        case Phase::scram_final:
            return scram_final(frame, out);
        case Phase::password:
            return password(frame, out);
    }
    return Step::refused;
}

Step LogIn::refuse(Buffer& out, const std::string& sqlstate, const std::string& message, const std::string& hint,
                   const std::string& reason_for_log) {
    log_warning("gateway", "log-in of \"{}\" from {} refused: {}", user_, peer_.address, reason_for_log);
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = sqlstate;
    report.message = message;
    report.hint = hint;
    pgwire::put_report(out, report);
    answer_delay_ += kRefusalDelay;
    return Step::refused;
}

Step LogIn::no_catalog(const Error& error, Buffer& out) {
    log_error("gateway", error);
    return refuse(out, "57P03", "the catalog, which knows the passwords, does not answer",
                  "Try again; if it stays so, see the box's log.", "the catalog does not answer");
}

Step LogIn::start(const Frame& frame, Buffer& out) {
    const auto startup = pgwire::decode_startup(frame);
    if (!startup) return protocol_error(startup.error().message, out);
    if (const Step step = accept_startup(*startup, out); step != Step::more) return step;
    if (const Step step = accept_settings(*startup, out); step != Step::more) return step;
    return challenge(out);
}

Step LogIn::accept_startup(const pgwire::Startup& startup, Buffer& out) {
    const std::int32_t major = startup.version >> 16;
    const std::int32_t minor = startup.version & 0xFFFF;
    if (major != pgwire::kProtocolMajor) {
        return protocol_error("unsupported frontend protocol " + std::to_string(major) + "." + std::to_string(minor) +
                                  ": server supports 3.0",
                              out);
    }
    user_ = parameter(startup, "user");
    if (user_.empty())
        return refuse(out, "28000", "no PostgreSQL user name specified in startup packet", "", "no user name");
    const std::string replication = parameter(startup, "replication");
    if (!replication.empty() && replication != "false" && replication != "off")
        return refuse(out, "0A000", "replication is not served on this port", "", "replication asked for");
    const std::string named = parameter(startup, "database");
    const std::string& database = named.empty() ? user_ : named;
    const std::vector<std::string>& known = services_.database_names;
    if (std::find(known.begin(), known.end(), database) == known.end()) {
        return refuse(out, "3D000", "database \"" + database + "\" does not exist",
                      "The lake's name is \"" + known.front() + "\".", "unknown database \"" + database + "\"");
    }
    std::vector<std::string> unknown;
    for (const auto& [name, value] : startup.parameters) {
        if (name.starts_with("_pq_.")) unknown.push_back(name);
    }
    if (minor > 0 || !unknown.empty()) pgwire::put_negotiate_version(out, pgwire::kProtocolVersion, unknown);
    return Step::more;
}

Step LogIn::accept_settings(const pgwire::Startup& startup, Buffer& out) {
    settings_ = std::make_unique<SessionSettings>(user_);
    auto wanted = command_line_settings(parameter(startup, "options"));
    for (const auto& [name, value] : startup.parameters) {
        if (!is_connection_parameter(name) && !name.starts_with("_pq_.")) wanted.emplace_back(name, value);
    }
    for (const auto& [name, value] : wanted) {
        const auto change = settings_->check(name, {value});
        if (!change) {
            const engine::QueryError& error = change.error();
            return refuse(out, error.sqlstate, error.message, error.hint, error.message);
        }
        settings_->make_default(*change);
        named_settings_.insert(change->name);
    }
    return Step::more;
}

// Asks for a proof, in the way that the catalog allows.
Step LogIn::challenge(Buffer& out) {
    auto found = services_.roles.find(user_);
    if (!found) return no_catalog(found.error(), out);
    role_ = *found;
    settings_->make_defaults(role_.settings, named_settings_);
    if (!role_.shows_verifier) {
        if (!peer_.encrypted) {
            return refuse(out, "28000",
                          "the catalog does not show password verifiers to the box, so that passwords travel in full: "
                          "this server takes them over encrypted connections only",
                          "Connect with sslmode=require.", "not encrypted, and the catalog shows no verifiers");
        }
        pgwire::put_authentication_cleartext(out);
        phase_ = Phase::password;
        return Step::more;
    }
    auto verifier = pgwire::parse_scram_verifier(role_.verifier);
    pgwire::ScramServer::Options options;
    options.doomed = !verifier;
    options.verifier = verifier ? *verifier : pgwire::invented_scram_verifier(user_, services_.invented_salt_secret);
    options.plus_offered = !peer_.certificate_hash.empty();
    options.channel_binding_data = peer_.certificate_hash;
    options.server_nonce = pgwire::base64_encode(pgwire::random_bytes(kNonceBytes));

    std::vector<std::string> mechanisms;
    if (options.plus_offered) mechanisms.push_back(kScramPlus);
    mechanisms.push_back(kScram);
    pgwire::put_authentication_sasl(out, mechanisms);
    scram_.emplace(std::move(options));
    phase_ = Phase::scram_first;
    return Step::more;
}

Step LogIn::scram_first(const Frame& frame, Buffer& out) {
    if (frame.type != 'p') return protocol_error("expected SASL response", out);
    const auto initial = pgwire::decode_sasl_initial(frame);
    if (!initial) return protocol_error(initial.error().message, out);
    const bool plus = initial->mechanism == kScramPlus;
    if (!plus && initial->mechanism != kScram) return protocol_error("client selected an invalid SASL mechanism", out);
    const auto reply = scram_->first(initial->response.value_or(""), plus);
    if (!reply) return protocol_error(reply.error().message, out);
    pgwire::put_authentication_sasl_continue(out, *reply);
    phase_ = Phase::scram_final;
    return Step::more;
}

Step LogIn::scram_final(const Frame& frame, Buffer& out) {
    if (frame.type != 'p') return protocol_error("expected SASL response", out);
    const auto wait = services_.throttle.wait(peer_.address, user_);
    if (!wait) return refuse(out, "53300", "too many failed log-ins", "Wait a minute.", "too many failed log-ins");
    answer_delay_ = *wait;
    const auto reply = scram_->final(frame.body);
    if (!reply) return wrong_password(reply.error().message, out);
    services_.throttle.succeeded(peer_.address, user_);
    // The client may check what the server knows only once it is admitted.
    Buffer proof;
    pgwire::put_authentication_sasl_final(proof, *reply);
    Buffer answer;
    const Step step = admit(role_, answer);
    if (step == Step::done) out.put(proof.view());
    out.put(answer.view());
    return step;
}

Step LogIn::password(const Frame& frame, Buffer& out) {
    if (frame.type != 'p') return protocol_error("expected password response", out);
    const auto wait = services_.throttle.wait(peer_.address, user_);
    if (!wait) return refuse(out, "53300", "too many failed log-ins", "Wait a minute.", "too many failed log-ins");
    answer_delay_ = *wait;
    pgwire::Reader reader(frame.body);
    const Secret password{std::string(reader.cstring())};
    if (!reader.complete()) return protocol_error("invalid password packet size", out);
    const auto role = services_.roles.try_password(user_, password);
    if (!role) return no_catalog(role.error(), out);
    if (!*role) return wrong_password("the catalog refused user or password", out);
    services_.throttle.succeeded(peer_.address, user_);
    return admit(**role, out);
}

Step LogIn::wrong_password(const std::string& reason_for_log, Buffer& out) {
    services_.throttle.failed(peer_.address, user_);
    return refuse(out, "28P01", "password authentication failed for user \"" + user_ + "\"", "", reason_for_log);
}

// A mirror that was dropped has taken along who may enter, and brings it back.
bool LogIn::may_enter_now() {
    if (!services_.look_again) return false;
    services_.look_again();
    const auto found = services_.roles.find(user_);
    return found && found->may_enter;
}

Step LogIn::admit(const Role& role, Buffer& out) {
    if (!role.may_log_in) {
        return refuse(out, "28000", "role \"" + user_ + "\" is not permitted to log in", "", "the role may not log in");
    }
    if (!role.may_enter && !may_enter_now()) {
        const bool has_mirror = static_cast<bool>(services_.look_again);
        return refuse(out, "42501", "permission denied for database \"" + services_.database_names.front() + "\"",
                      has_mirror ? "User does not have CONNECT privilege."
                                 : "With an external catalog the SQL door is open to members of lake_admin only.",
                      has_mirror ? "no CONNECT privilege" : "not a member of lake_admin");
    }
    pgwire::put_authentication_ok(out);
    log_debug("gateway", "\"{}\" logged in from {}{}", user_, peer_.address, peer_.encrypted ? " over TLS" : "");
    return Step::done;
}

}  // namespace boathouse::gateway

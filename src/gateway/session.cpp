#include "gateway/session.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace boathouse::gateway {

using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

Session::Session(SessionServices& services, Peer peer, Host host)
    : services_(services),
      peer_(std::move(peer)),
      host_(std::move(host)),
      log_in_(std::make_unique<LogIn>(services.log_in, peer_)) {}

Session::~Session() {
    if (cancel_key_) services_.cancels.remove(*cancel_key_);
}

void Session::handle(const Frame& frame, bool sync_follows, Buffer& out) {
    if (log_in_) {
        const LogIn::Step step = log_in_->handle(frame, out);
        answer_delay_ = log_in_->answer_delay();
        if (step == LogIn::Step::done) welcome(out);
        closed_ = step == LogIn::Step::refused;
        return;
    }
    awaits_command_ = false;
    if (copy_in_) return copy_message(frame, out);
    // After an error in the extended protocol everything up to Sync is skipped.
    if (skipping_to_sync_ && frame.type != 'S' && frame.type != 'X') return;
    switch (frame.type) {
        case 'Q':
            return query(frame, out);
        case 'P':
            return parse(frame, out);
        case 'B':
            return bind(frame, out);
        case 'D':
            return describe(frame, out);
        case 'E':
            return execute(frame, sync_follows, out);
        case 'C':
            return close(frame, out);
        case 'S':
            return sync(out);
        case 'H':
            return;  // Flush: the connection writes what there is whenever it waits for more
        case 'X':
            closed_ = true;
            return;
        // Left over from a COPY that has failed: to be ignored, says the protocol.
        case 'd':
        case 'c':
        case 'f':
            return;
        default:
            return protocol_error("invalid frontend message type " + std::to_string(frame.type), out);
    }
}

Session::Way Session::way_of(const std::deque<Frame>& messages) {
    found_.reset();
    if (!awaits_command_ || refusal_ || interrupted() || transaction_ != Transaction::none) return Way::by_thread;
    // One statement by itself: Query; or Bind, perhaps Describe, Execute, Sync.
    const std::size_t count = messages.size();
    const bool is_query = count == 1 && messages[0].type == 'Q';
    const bool is_execution = (count == 3 || (count == 4 && messages[1].type == 'D')) && messages[0].type == 'B' &&
                              messages[count - 2].type == 'E' && messages[count - 1].type == 'S';
    if (!is_query && !is_execution) return Way::by_thread;
    if (gathers_at_once(messages)) return Way::at_once;
    auto key = services_.answers == nullptr ? std::nullopt : answer_key(messages);
    auto answer = key ? services_.answers->results.peek(*key) : nullptr;
    if (!answer) return Way::by_thread;
    found_ = Found{std::move(*key)};
    if (answer->snapshot) return Way::by_snapshot;
    if (privileges() != nullptr && !answer->needs.empty()) return Way::by_thread;
    found_->answer = std::move(answer);
    return Way::at_once;
}

void Session::resume(Buffer& out) {
    if (member_) return resume_gathered(out);
    if (std::exchange(deferred_, false)) return run_again(out);
    if (script_) return resume_script(out);
    if (executing_) return resume_execute(out);
}

void Session::welcome(Buffer& out) {
    settings_ = log_in_->take_settings();
    log_in_.reset();
    for (const auto& [name, value] : settings_->reported()) pgwire::put_parameter_status(out, name, value);
    cancel_key_ = services_.cancels.add(host_.cancel);
    pgwire::put_backend_key(out, cancel_key_->process_id, cancel_key_->secret_key);
    put_ready(out);
}

std::chrono::milliseconds Session::take_answer_delay() {
    return std::exchange(answer_delay_, std::chrono::milliseconds(0));
}

void Session::interrupt(Interruption reason) {
    interruption_ = reason;
    const std::lock_guard lock(engine_mutex_);
    if (engine_) engine_->interrupt();
    if (relay_) relay_->cancel();
    if (member_) services_.gatherer->withdraw(*member_);
}

void Session::forget_interruption() {
    if (!interrupted()) return;
    interruption_ = Interruption::none;
    if (engine_) engine_->clear_interrupt();
    if (relay_) relay_->clear_cancel();
}

void Session::interrupt_copy(Buffer& out) {
    if (copy_in_) fail_copy(engine::interruption(), out);
}

access::RoleGate* Session::privileges() {
    if (!gate_ && services_.exchange) {
        gate_ = std::make_unique<access::RoleGate>(services_.exchange->checker, settings_->role());
    }
    return gate_.get();
}

// What was SET, or is the role's, before the first statement.
engine::Outcome<void> start_engine(engine::Session& engine, const SessionSettings& settings) {
    if (const auto zone = settings.value("timezone"); zone && *zone != "UTC") {
        if (auto set_zone = engine.set_time_zone(*zone); !set_zone) return set_zone;
    }
    if (settings.value("boathouse.dialect") == "duckdb") {
        if (auto set_dialect = engine.set_dialect(true); !set_dialect) return set_dialect;
    }
    for (const auto& [name, value] : settings.of_engine()) {
        if (auto set_option = engine.set_option(name, value); !set_option) return set_option;
    }
    if (const auto path = settings.value("search_path"); path && *path != "public")
        return engine.set_search_path(schemas_of(*path));
    return {};
}

engine::Outcome<void> Session::open_engine() {
    if (engine_) return {};
    sql_settings_ = std::make_unique<SqlSettings>(*settings_);
    engine::Session::Uses uses;
    uses.settings = sql_settings_.get();
    if (services_.exchange) {
        uses.numbers = &services_.exchange->pool.mirror();
        uses.gate = privileges();
    }
    uses.newest = [this] { return cache::newest_moment(settings_->switches().cache ? services_.answers : nullptr); };
    auto opened = engine::Session::open(services_.lake, uses);
    if (!opened) return opened.error();
    {
        const std::lock_guard lock(engine_mutex_);
        engine_ = std::move(*opened);
    }
    return start_engine(*engine_, *settings_);
}

void Session::restart_clock() const {
    if (settings_->limits().statement.count() > 0) host_.statement_began();
}

engine::Outcome<void> Session::arm_engine() {
    if (interrupted()) return engine::interruption();
    if (auto opened = open_engine(); !opened) return opened;
    engine_->set_read_only(read_only());
    sql_settings_->take();  // of a statement that failed
    return {};
}

void Session::put_error(const QueryError& error, Buffer& out, std::string_view text, std::size_t offset) {
    pgwire::Report report;
    report.sqlstate = error.sqlstate;
    report.message = error.message;
    report.detail = error.detail;
    report.hint = error.hint;
    report.context = error.context;
    report.routine = error.routine;
    if (error.position > 0 && !text.empty()) {
        // The client counts characters from 1, DuckDB bytes.
        const std::size_t bytes = std::min(offset + error.position - 1, text.size());
        std::size_t characters = 1;
        for (const char byte : text.substr(0, bytes))
            characters += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
        report.position = characters;
    }
    if (error.sqlstate == "57014") {
        if (interruption_ == Interruption::statement_timeout)
            report.message = "canceling statement due to statement timeout";
        if (interruption_ == Interruption::stopping) {
            report.severity = pgwire::Severity::fatal;
            report.sqlstate = "57P01";
            report.message = "terminating connection due to administrator command";
            closed_ = true;
        }
        forget_interruption();
    }
    if (error.sqlstate == "XX000")
        log_line(LogLevel::warning, "gateway", "a statement failed inside: " + error.message);
    pgwire::put_report(out, report);
}

void Session::put_notices(const std::vector<syntax::Notice>& notices, Buffer& out) {
    for (const syntax::Notice& notice : notices) {
        put_notice(notice.is_warning ? pgwire::Severity::warning : pgwire::Severity::notice, notice.sqlstate,
                   notice.message, out);
    }
}

void Session::put_notice(pgwire::Severity severity, const std::string& sqlstate, const std::string& message,
                         Buffer& out) {
    const std::string wanted = settings_->value("client_min_messages").value_or("notice");
    if (wanted == "error" || (wanted == "warning" && severity == pgwire::Severity::notice)) return;
    pgwire::Report report;
    report.severity = severity;
    report.sqlstate = sqlstate;
    report.message = message;
    pgwire::put_report(out, report);
}

void Session::protocol_error(const std::string& message, Buffer& out) {
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = "08P01";
    report.message = message;
    pgwire::put_report(out, report);
    closed_ = true;
}

}  // namespace boathouse::gateway

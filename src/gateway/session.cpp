#include "gateway/session.hpp"

#include "base/log.hpp"

namespace boathouse::gateway {

using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

Session::Session(SessionServices& services, Peer peer) : services_(services), peer_(std::move(peer)) {}

Session::~Session() {
    if (cancel_key_) services_.cancels.remove(*cancel_key_);
}

void Session::handle(const Frame& frame, bool sync_follows, Buffer& out) {
    switch (phase_) {
        case Phase::start:
            return start(frame, out);
        case Phase::scram_first:
            return scram_first(frame, out);
        case Phase::scram_final:
            return scram_final(frame, out);
        case Phase::ready:
            break;
    }
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

void Session::resume(Buffer& out) {
    if (script_) return resume_script(out);
    if (executing_) return resume_execute(out);
}

void Session::cancel() {
    const std::lock_guard lock(engine_mutex_);
    if (engine_) engine_->interrupt();
}

engine::Outcome<void> Session::open_engine() {
    if (engine_) return {};
    auto opened = engine::Session::open(services_.lake);
    if (!opened) return opened.error();
    {
        const std::lock_guard lock(engine_mutex_);
        engine_ = std::move(*opened);
    }
    // What was SET before the first statement.
    if (const auto zone = settings_->value("timezone"); zone && *zone != "UTC") {
        if (auto set_zone = engine_->set_time_zone(*zone); !set_zone) return set_zone.error();
    }
    if (const auto path = settings_->value("search_path"); path && *path != "public") return set_search_path(*path);
    return {};
}

void Session::put_error(const QueryError& error, Buffer& out, std::string_view text, std::size_t offset) {
    pgwire::Report report;
    report.sqlstate = error.sqlstate;
    report.message = error.message;
    report.detail = error.detail;
    report.hint = error.hint;
    report.context = error.context;
    if (error.position > 0 && !text.empty()) {
        // The client counts characters from 1, DuckDB bytes.
        const std::size_t bytes = std::min(offset + error.position - 1, text.size());
        std::size_t characters = 1;
        for (const char byte : text.substr(0, bytes))
            characters += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
        report.position = characters;
    }
    if (error.sqlstate == "XX000")
        log_line(LogLevel::warning, "gateway", "a statement failed inside: " + error.message);
    pgwire::put_report(out, report);
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

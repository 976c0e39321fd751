// The maker of a table, a view, a schema or a macro owns it, as in PostgreSQL. The lake knows no owners, so the mirror
// is told once the making is committed; until then, and after a crash in between, it is the lake's owner's.
#include "base/log.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

void Session::own_made(pgwire::Buffer& out) {
    if (!engine_ || services_.exchange == nullptr) return;
    mirror::Making making;
    making.made = engine_->take_made();
    if (making.made.empty()) return;
    making.role = settings_->value("session_authorization").value();
    auto snapshot = engine_->committed_snapshot();
    Status done = snapshot ? Status() : Status(Error{ErrorKind::internal, snapshot.error().message});
    if (snapshot) {
        making.snapshot = std::move(*snapshot);
        done = services_.exchange->pool.mirror().hand_over(making);
    }
    if (done) return;
    log_warning("gateway", "what \"{}\" has made belongs to the lake's owner: {}", making.role, done.error().message);
    put_notice(pgwire::Severity::warning, "01000", "what was made belongs to the lake's owner: " + done.error().message,
               out);
}

}  // namespace boathouse::gateway

#include "gateway/made_objects.hpp"

#include "base/log.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

Status hand_over_made(engine::Session& session, relay::Exchange& exchange, const std::string& role) {
    mirror::Making making;
    making.made = session.take_made();
    if (making.made.empty()) return {};
    making.role = role;
    auto snapshot = session.committed_snapshot();
    Status done = snapshot ? Status() : Status(Error{ErrorKind::internal, snapshot.error().message});
    if (snapshot) {
        making.snapshot = std::move(*snapshot);
        done = exchange.pool.mirror().hand_over(making);
    }
    if (!done)
        log_warning("gateway", "what \"{}\" has made belongs to the lake's owner: {}", role, done.error().message);
    return done;
}

void Session::own_made(pgwire::Buffer& out) {
    if (!engine_ || services_.exchange == nullptr) return;
    const auto done = hand_over_made(*engine_, *services_.exchange, settings_->role());
    if (done) return;
    put_notice(pgwire::Severity::warning, "01000", "what was made belongs to the lake's owner: " + done.error().message,
               out);
}

}  // namespace boathouse::gateway

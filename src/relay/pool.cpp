#include "relay/pool.hpp"

#include <algorithm>

namespace boathouse::relay {

using engine::Outcome;
using engine::QueryError;

Loan::~Loan() {
    if (!connection_) return;
    if (connection_->cancelled()) reusable_ = false;
    // PostgreSQL cleans up while the client has its answer; whoever comes next reads that it has.
    if (reusable_) {
        connection_->defer("DISCARD ALL");
        if (!connection_->send({})) reusable_ = false;
    }
    if (!reusable_) connection_.reset();
    pool_->release(std::move(connection_));
}

Outcome<void> Pool::reserve() {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, kPatience, [this] { return count_ < kConnectionsMax; }))
        return QueryError{"53300", "too many statements about the system catalogs run at once"};
    ++count_;
    return {};
}

std::unique_ptr<ServerConnection> Pool::take_idle(const std::string& role) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) { return idle->role() == role; });
    if (found == idle_.end()) return nullptr;
    std::unique_ptr<ServerConnection> connection = std::move(*found);
    idle_.erase(found);
    return connection;
}

void Pool::release(std::unique_ptr<ServerConnection> connection) {
    std::unique_ptr<ServerConnection> oldest;  // closed without the lock
    {
        const std::lock_guard lock(mutex_);
        --count_;
        if (connection) idle_.push_front(std::move(connection));
        if (idle_.size() > kIdleMax) {
            oldest = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    returned_.notify_one();
}

Outcome<Loan> Pool::borrow(const std::string& role, const std::string& prepare) {
    const auto caught_up = [this]() -> Outcome<void> {
        auto done = mirror_.catch_up();
        if (done) return {};
        QueryError error{"55000", "the system catalogs cannot be shown: " + done.error().message};
        error.hint = done.error().hint;
        return error;
    };
    if (auto current = caught_up(); !current) return current.error();
    if (auto reserved = reserve(); !reserved) return reserved.error();
    // An idle connection may have been ended, with PostgreSQL or with the mirror's database.
    if (auto idle = take_idle(role); idle && idle->is_idle()) {
        idle->defer(prepare);
        return Loan(*this, std::move(idle));
    }
    auto opened = ServerConnection::open(mirror_.endpoint_for(role));
    if (!opened && opened.error().sqlstate == "3D000") {
        mirror_.distrust();
        if (auto current = caught_up(); !current) {
            release(nullptr);
            return current.error();
        }
        opened = ServerConnection::open(mirror_.endpoint_for(role));
    }
    if (!opened) {
        release(nullptr);
        return opened.error();
    }
    (*opened)->defer(prepare);
    return Loan(*this, std::move(*opened));
}

}  // namespace boathouse::relay

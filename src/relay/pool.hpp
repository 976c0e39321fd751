// Connections to the mirror, kept for the next client of the same role.
//
// Any thread. Bounded: kConnectionsMax at once, of which kIdleMax wait unused; who comes later waits kPatience and is
// then told 53300. A connection comes clean: DISCARD ALL has run on it since its last use, beside the client, who need
// not wait for it. It goes back only after ReadyForQuery; one in any other state is closed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "mirror/mirror.hpp"
#include "relay/server_connection.hpp"

namespace boathouse::relay {

inline constexpr std::size_t kConnectionsMax = 24;
inline constexpr std::size_t kIdleMax = 8;
inline constexpr std::chrono::seconds kPatience{10};

class Pool;

// One connection on loan; goes back, or is closed, at its end.
class Loan {
  public:
    Loan(Pool& pool, std::unique_ptr<ServerConnection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Loan(Loan&& other) noexcept : pool_(other.pool_), connection_(std::move(other.connection_)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan();

    ServerConnection& connection() { return *connection_; }
    // The last answer has been read to its ReadyForQuery, outside a transaction: others may have the connection.
    void set_reusable() { reusable_ = true; }

  private:
    Pool* pool_;
    std::unique_ptr<ServerConnection> connection_;
    bool reusable_ = false;
};

class Pool {
  public:
    // `mirror` must outlive the pool.
    explicit Pool(mirror::Mirror& mirror) : mirror_(mirror) {}

    // The mirror is up to date; the settings that `prepare` (SQL) makes go out with what is sent first, so the borrower
    // settles them before it reads an answer, and before it sends what must not run without them. Errors: PostgreSQL's,
    // 53300, 08006.
    engine::Outcome<Loan> borrow(const std::string& role, const std::string& prepare);

    mirror::Mirror& mirror() { return mirror_; }

  private:
    friend class Loan;
    engine::Outcome<void> reserve();
    std::unique_ptr<ServerConnection> take_idle(const std::string& role);
    void release(std::unique_ptr<ServerConnection> connection);

    mirror::Mirror& mirror_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::size_t count_ = 0;                              // under mutex_: on loan
    std::list<std::unique_ptr<ServerConnection>> idle_;  // under mutex_; the one used last is the first
};

}  // namespace boathouse::relay

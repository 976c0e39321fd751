// A client's statements about the system catalogs, answered by PostgreSQL itself in the mirror.
//
// A Relay belongs to one session; one thread at a time, but for cancel(), which any thread may call. Each statement
// runs on a connection borrowed for it, authenticated as the client's role, read-only (but for what is about roles),
// with the client's settings; its
// answer comes through as PostgreSQL gave it: columns with their table's numbers, values in the format asked for,
// errors. Rows gather in memory up to kRowBytesMax, so that a slow client holds no connection; a larger answer fails
// with 54000.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/checker.hpp"
#include "engine/session.hpp"
#include "relay/pool.hpp"
#include "relay/router.hpp"

namespace boathouse::relay {

inline constexpr std::size_t kRowBytesMax = 256u << 20;

// A statement as PostgreSQL described it.
struct RelayedStatement {
    std::string text;
    std::vector<std::uint32_t> given_types;      // of parameters, as the client said them
    std::vector<std::uint32_t> parameter_types;  // as PostgreSQL has decided
    std::vector<pgwire::ColumnDescription> columns;
    bool changes_roles = false;       // it may write
    bool changes_privileges = false;  // on the mirror's objects
};

// What Bind says.
struct Arguments {
    std::vector<std::int16_t> parameter_formats;
    std::vector<std::optional<std::string>> parameters;
    std::vector<std::int16_t> result_formats;
};

// (name, value) of settings that hold in the mirror too: search_path, TimeZone …
using Settings = std::vector<std::pair<std::string, std::string>>;

// What the relays of all sessions share; outlives them.
struct Exchange {
    Exchange(mirror::Mirror& mirror, Vocabulary names)
        : pool(mirror), checker(mirror.checker_options()), vocabulary(std::move(names)) {}
    Pool pool;
    access::Checker checker;
    const Vocabulary vocabulary;
};

class Relay {
  public:
    Relay(Pool& pool, std::string role) : pool_(pool), role_(std::move(role)) {}

    engine::Outcome<std::shared_ptr<RelayedStatement>> prepare(std::string_view text,
                                                               const std::vector<std::uint32_t>& types,
                                                               const Settings& settings);
    engine::Outcome<std::unique_ptr<engine::ResultStream>> run(const RelayedStatement& statement,
                                                               const Arguments& arguments, const Settings& settings);

    // What runs now or begins from now on fails with 57014, until clear_cancel().
    void cancel();
    void clear_cancel();

  private:
    class Active;
    engine::Outcome<std::unique_ptr<engine::ResultStream>> answer(Loan loan, std::string_view text,
                                                                  std::string_view messages,
                                                                  const std::vector<std::int16_t>& formats);

    Pool& pool_;
    const std::string role_;
    std::mutex mutex_;
    ServerConnection* active_ = nullptr;  // under mutex_: runs a statement
    bool cancelled_ = false;              // under mutex_
};

}  // namespace boathouse::relay

// The mirror: a PostgreSQL database that shows the lake's schemas, tables, views and macros as PostgreSQL's own, empty,
// so that PostgreSQL can answer what tools ask about them.
//
// It is derived and can be dropped at any time; whoever needs it calls catch_up() first, which costs one question to
// the catalog where nothing has changed, and makes or mends the mirror where it has. Owned by the service, outlives the
// SQL door. catch_up() may be called from any thread and blocks; callers take turns, and those that waited share the
// answer of a check that began after they came. Only the box's own PostgreSQL has a mirror: with an external catalog
// the box cannot come in as its clients.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "access/checker.hpp"
#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "engine/column_origin.hpp"
#include "engine/lake.hpp"
#include "mirror/lake_state.hpp"
#include "mirror/privileges.hpp"
#include "mirror/sync.hpp"

namespace boathouse::mirror {

// While only data changes, row estimates are brought up to date this often, and only if somebody asks.
inline constexpr std::chrono::seconds kStatisticsAge{10};

class Mirror final : public engine::TableNumbers {
  public:
    // `lake` must outlive the mirror and admit clients (engine::Session::admit_clients) before the first catch_up():
    // views are bound as clients bind them.
    Mirror(config::Settings settings, engine::Lake& lake) : settings_(std::move(settings)), lake_(lake) {}
    ~Mirror() override;
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    // Makes the mirror in the background, so that the first client need not wait for it.
    void start();

    // After this the mirror shows every snapshot that was committed before the call. Errors: unavailable (the catalog),
    // conflict (a database of the mirror's name that is none).
    Status catch_up();

    // The mirror may not be what it was: somebody found its database missing or its connections ended.
    void distrust();
    // catch_up() for a mirror that may be gone.
    Status look_again();

    // The mirror's name for one of the lake's schemas: main is shown as public, unless the lake has a public of its
    // own.
    std::string shown_schema(const std::string& schema) const;

    // Asks the mirror once for each table and version of the lake's schema, and brings the mirror up to date if it is
    // behind that version. While the mirror has never been made, nothing is filled in and nothing waited for.
    void fill(const engine::ColumnOrigins& origins, std::vector<pgwire::ColumnDescription>& columns) override;

    // The mirror's database, by which privileges on it are granted.
    std::string database() const { return catalog::mirror_database(settings_); }

    // Writes down who owns what and may do what, after a change. Errors: those of Connection.
    Status keep_privileges();
    // What the role has made and committed is its own from now on.
    Status hand_over(const Making& making);

    // What a Checker of the privileges on the mirror's objects needs; the mirror outlives it.
    access::CheckerOptions checker_options();

    // How a client's role comes in.
    catalog::Endpoint endpoint_for(const std::string& role) const;

  private:
    using Clock = std::chrono::steady_clock;

    // A table in the mirror.
    struct Numbers {
        std::uint32_t table = 0;
        std::map<std::string, std::int16_t> columns;  // by the lake's name
    };
    using TableName = std::pair<std::string, std::string>;  // the lake's schema and table

    const Numbers* numbers_of(const TableName& name);
    Result<Numbers> read_numbers(const TableName& name);
    Status check();
    Status synchronize_now();
    Status connect();
    Status keep();  // REQUIRES: mutex_ is held and the mirror is up to date
    Status restore_once();

    const config::Settings settings_;
    engine::Lake& lake_;
    std::thread first_;
    std::atomic<bool> lake_has_public_ = false;  // since the last synchronization

    std::mutex mutex_;
    std::optional<catalog::Connection> lake_connection_;    // under mutex_
    std::optional<catalog::Connection> mirror_connection_;  // under mutex_
    std::optional<Snapshot> shown_;                         // under mutex_; none: to be looked at
    ShownStatistics shown_statistics_;                      // under mutex_
    Clock::time_point statistics_at_;                       // under mutex_
    Clock::time_point last_began_;                          // under mutex_: of the last check that succeeded

    std::mutex numbers_mutex_;
    std::atomic<long long> numbered_version_ = -1;           // of the lake's schema that the mirror shows; -1: none yet
    std::map<TableName, Numbers> numbers_;                   // under numbers_mutex_: of that version
    std::optional<catalog::Connection> numbers_connection_;  // under numbers_mutex_
};

}  // namespace boathouse::mirror

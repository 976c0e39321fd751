// What is written and what is refused. That DuckLake reads it as its own, tests/ingest/test_differential.py asks.
#include "catalog/snapshot_append.hpp"

#include <gtest/gtest.h>

#include "catalog/pg_snapshot.hpp"
#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

class SnapshotAppendTest : public testing::Test {
  protected:
    static ScratchPostgres& server() {
        static ScratchPostgres scratch;
        return scratch;
    }

    void SetUp() override {
        const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        ASSERT_TRUE(server().connect("boathouse", "postgres").value().execute("CREATE DATABASE \"" + name + "\""));
        config::Settings settings = server().settings();
        settings.postgres_db = name;
        connection_.emplace(server().connect("boathouse", name).value());
        create_lake_tables(*connection_);
        const Status made = connection_->execute(R"sql(
            INSERT INTO public.ducklake_table VALUES (1, gen_random_uuid(), 0, NULL, 0, 't', 't/', true);
            INSERT INTO public.ducklake_column VALUES
                (1, 0, NULL, 1, 1, 'i', 'int32', NULL, NULL, true, NULL, NULL, NULL);
            INSERT INTO public.ducklake_inlined_data_tables VALUES (1, 'ducklake_inlined_data_1_0', 0);
            INSERT INTO public.ducklake_schema_versions VALUES (0, 0, 1);
            CREATE TABLE public.ducklake_inlined_data_1_0
                (row_id bigint, begin_snapshot bigint, end_snapshot bigint, i integer);
        )sql");
        ASSERT_TRUE(made) << made.error().message;
        appender_.emplace(SnapshotAppend::open(box_endpoint(settings).value()).value());
    }

    // One row, `i` as a number of four bytes.
    static TableAppend one_row(const TableStatistics& before, char last_byte) {
        TableAppend append;
        append.table_id = 1;
        append.inlined_table = "ducklake_inlined_data_1_0";
        append.array_types = {"pg_catalog.int4"};
        append.column_types = {"integer"};
        const std::string header{"\0\0\0\1\0\0\0\0\0\0\0\27\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0", 27};
        append.values = {Parameter::binary(header + last_byte)};
        append.row_count = 1;
        append.before = before;
        append.after = before;
        append.after.is_there = true;
        ++append.after.record_count;
        ++append.after.next_row_id;
        append.after.columns = {{1, false, "5", std::to_string(static_cast<int>(last_byte))}};
        return append;
    }
    LakeState newest() {
        LakeState state = appender_->begin(false).value();
        appender_->roll_back();
        return state;
    }
    Rows ask(const std::string& sql) { return connection_->query(sql).value(); }

    std::optional<Connection> connection_;
    std::optional<SnapshotAppend> appender_;
};

TEST_F(SnapshotAppendTest, TellsWhatAnAppendNeedsToKnow) {
    ASSERT_TRUE(appender_->begin(false));
    const auto facts = appender_->table("main", "t").value();
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->id, 1);
    EXPECT_TRUE(facts->is_plain);
    EXPECT_EQ(facts->inlined_table, "ducklake_inlined_data_1_0");
    ASSERT_EQ(facts->inlined_columns.size(), 1U);
    EXPECT_EQ(facts->inlined_columns[0].type, "integer");
    EXPECT_FALSE(appender_->table("main", "other").value());
    EXPECT_FALSE(appender_->statistics(1).value().is_there);
    appender_->roll_back();
}

TEST_F(SnapshotAppendTest, WritesASnapshotAfterAnother) {
    LakeState state = newest();
    const TableAppend first = one_row({}, 5);
    ASSERT_TRUE(appender_->append(state, {first}, "")) << "the first";
    state = newest();
    EXPECT_EQ(state.next_file_id, 1);
    ASSERT_TRUE(appender_->begin(true));
    const TableStatistics between = appender_->statistics(1).value();
    EXPECT_EQ(between.columns, first.after.columns);
    ASSERT_TRUE(appender_->finish(state, {one_row(between, 7)}, "\"a note\""));
    EXPECT_EQ(ask("SELECT row_id, begin_snapshot, end_snapshot, i FROM public.ducklake_inlined_data_1_0 ORDER BY 1"),
              (Rows{{"0", "1", std::nullopt, "5"}, {"1", "2", std::nullopt, "7"}}));
    EXPECT_EQ(ask("SELECT changes_made, commit_extra_info FROM public.ducklake_snapshot_changes ORDER BY snapshot_id"),
              (Rows{{"created_schema:\"main\"", std::nullopt},
                    {"inlined_insert:1", std::nullopt},
                    {"inlined_insert:1", "\"a note\""}}));
    EXPECT_EQ(ask("SELECT record_count, next_row_id FROM public.ducklake_table_stats"), (Rows{{"2", "2"}}));
    EXPECT_EQ(ask("SELECT min_value, max_value FROM public.ducklake_table_column_stats"), (Rows{{"5", "7"}}));
}

TEST_F(SnapshotAppendTest, IsBehindWhenOthersHaveCommitted) {
    const LakeState state = newest();
    ASSERT_TRUE(connection_->execute("INSERT INTO public.ducklake_snapshot VALUES (1, now(), 0, 1, 0)"));
    EXPECT_FALSE(appender_->append(state, {one_row({}, 5)}, ""));
    EXPECT_TRUE(appender_->is_behind());
    EXPECT_FALSE(appender_->is_lost());
    // The others' snapshot may have expired meanwhile.
    ASSERT_TRUE(connection_->execute("UPDATE public.ducklake_snapshot SET snapshot_id = 2 WHERE snapshot_id = 1"));
    EXPECT_FALSE(appender_->append(state, {one_row({}, 5)}, ""));
    EXPECT_TRUE(appender_->is_behind());
    EXPECT_EQ(ask("SELECT count(*) FROM public.ducklake_inlined_data_1_0"), (Rows{{"0"}}));
    EXPECT_TRUE(appender_->append(newest(), {one_row({}, 5)}, ""));
}

TEST_F(SnapshotAppendTest, IsBehindWhenOptionsHaveChanged) {
    const LakeState state = newest();
    ASSERT_TRUE(connection_->execute(
        "INSERT INTO public.ducklake_metadata VALUES ('data_inlining_row_limit', '0', 'table', 1)"));
    EXPECT_FALSE(appender_->append(state, {one_row({}, 5)}, ""));
    EXPECT_TRUE(appender_->is_behind());
}

TEST_F(SnapshotAppendTest, IsBehindWhenAnythingAtAllWasCommittedSinceASnapshotOfPostgres) {
    ASSERT_TRUE(connection_->execute("ALTER SYSTEM SET autovacuum = off"));
    ASSERT_TRUE(connection_->execute("SELECT pg_reload_conf()"));
    LakeState state = newest();
    std::string since = *ask("SELECT pg_current_snapshot()")[0][0];
    const TableAppend first = one_row({}, 5);
    const auto transaction = appender_->append(state, {first}, "", since);
    ASSERT_TRUE(transaction) << transaction.error().message;
    ++state.snapshot;
    ++state.next_file_id;
    since = snapshot_with(since, *transaction);
    ASSERT_TRUE(appender_->append(state, {one_row(first.after, 6)}, "", since)) << since;
    EXPECT_FALSE(appender_->append(state, {one_row(first.after, 7)}, "", since)) << "its own is one too";
    EXPECT_TRUE(appender_->is_behind());
    state = newest();
    since = *ask("SELECT pg_current_snapshot()")[0][0];
    ASSERT_TRUE(connection_->execute("CREATE ROLE committed_elsewhere"));
    EXPECT_FALSE(appender_->append(state, {one_row(first.after, 7)}, "", since));
    EXPECT_TRUE(appender_->is_behind());
    EXPECT_EQ(ask("SELECT i FROM public.ducklake_inlined_data_1_0 ORDER BY 1"), (Rows{{"5"}, {"6"}}));
}

TEST_F(SnapshotAppendTest, LeavesNothingBehindWhenATableIsGone) {
    const LakeState state = newest();
    ASSERT_TRUE(connection_->execute("DROP TABLE public.ducklake_inlined_data_1_0"));
    EXPECT_FALSE(appender_->append(state, {one_row({}, 5)}, ""));
    EXPECT_FALSE(appender_->is_behind());
    EXPECT_FALSE(appender_->is_lost());
    EXPECT_EQ(newest().snapshot, state.snapshot);
}

TEST_F(SnapshotAppendTest, KnowsThatTheServerIsGone) {
    const LakeState state = newest();
    EXPECT_TRUE(appender_->is_alive());
    ASSERT_TRUE(
        connection_->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE datname = current_database() AND pid <> pg_backend_pid()"));
    EXPECT_FALSE(appender_->append(state, {one_row({}, 5)}, ""));
    EXPECT_TRUE(appender_->is_lost());
    EXPECT_FALSE(appender_->is_alive());
}

}  // namespace
}  // namespace boathouse::catalog

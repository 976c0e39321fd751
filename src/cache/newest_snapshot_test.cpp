#include "cache/newest_snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "catalog/scratch_postgres.hpp"

namespace boathouse::cache {
namespace {

catalog::ScratchPostgres& postgres() {
    static catalog::ScratchPostgres server;
    return server;
}

class NewestSnapshotTest : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        auto server = postgres().connect("boathouse", "postgres").value();
        auto connection = std::move(server);
        catalog::create_lake_tables(connection);
        commit();
    }
    static void commit() {
        auto connection = postgres().connect("boathouse", "postgres").value();
        connection
            .query(
                "INSERT INTO public.ducklake_snapshot (snapshot_id, snapshot_time, schema_version, next_catalog_id, "
                "next_file_id) SELECT coalesce(max(snapshot_id), 0) + 1, now(), coalesce(max(schema_version), 0) + 2, "
                "0, 0 "
                "FROM public.ducklake_snapshot")
            .value();
    }
    static catalog::Endpoint endpoint() {
        auto endpoint = catalog::box_endpoint(postgres().settings()).value();
        endpoint.database = "postgres";
        return endpoint;
    }
};

TEST_F(NewestSnapshotTest, SeesEveryCommitThatCameBefore) {
    NewestSnapshot newest(endpoint());
    const LakeVersion before = newest.ask().value();
    commit();
    const LakeVersion after = newest.ask().value();
    EXPECT_EQ(after.snapshot, before.snapshot + 1);
    EXPECT_EQ(after.schema, before.schema + 2);
}

// Each thread commits by itself and must see what it has committed, however the questions are shared.
TEST_F(NewestSnapshotTest, ASharedAnswerIsNeverOlderThanTheCaller) {
    NewestSnapshot newest(endpoint());
    std::atomic<long long> committed = newest.ask().value().snapshot;
    std::atomic<bool> failed = false;
    std::atomic<bool> done = false;
    std::vector<std::thread> askers;
    for (int i = 0; i < 8; ++i) {
        askers.emplace_back([&] {
            while (!done) {
                const long long known = committed;
                if (newest.ask().value().snapshot < known) failed = true;
            }
        });
    }
    for (int i = 0; i < 50; ++i) {
        commit();
        ++committed;
    }
    done = true;
    for (std::thread& asker : askers) asker.join();
    EXPECT_FALSE(failed);
    EXPECT_EQ(newest.ask().value().snapshot, committed);
}

// The same for those who do not wait: each commits, asks, and commits again once it was told.
TEST_F(NewestSnapshotTest, WhoIsToldIsToldOfWhatCameBefore) {
    NewestSnapshot newest(endpoint());
    long long committed = newest.ask().value().snapshot;
    for (int i = 0; i < 20; ++i) {
        std::vector<std::future<long long>> answers;
        commit();
        ++committed;
        for (int asker = 0; asker < 4; ++asker) {
            auto answered = std::make_shared<std::promise<long long>>();
            answers.push_back(answered->get_future());
            newest.ask_then(
                [answered](const Result<LakeVersion>& told) { answered->set_value(told.value().snapshot); });
        }
        for (std::future<long long>& answer : answers) EXPECT_EQ(answer.get(), committed);
    }
}

TEST_F(NewestSnapshotTest, TheEndTellsThoseWhoWait) {
    std::atomic<int> told = 0;
    {
        NewestSnapshot newest(endpoint());
        for (int i = 0; i < 3; ++i) newest.ask_then([&told](const Result<LakeVersion>&) { ++told; });
    }
    EXPECT_EQ(told, 3);
}

TEST_F(NewestSnapshotTest, AsksAgainAfterTheServerWasKilled) {
    NewestSnapshot newest(endpoint());
    const long long before = newest.ask().value().snapshot;
    postgres().crash();
    EXPECT_FALSE(newest.ask());
    postgres().start();
    EXPECT_EQ(newest.ask().value().snapshot, before);
}

}  // namespace
}  // namespace boathouse::cache

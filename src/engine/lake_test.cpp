// The lake against a real PostgreSQL, with the official extensions.
#include "engine/lake.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "catalog/bootstrap.hpp"
#include "catalog/scratch_postgres.hpp"
#include "engine/attach.hpp"
#include "engine/database.hpp"
#include "engine/probe.hpp"
#include "engine/scratch_lake.hpp"

namespace boathouse::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LakeTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { postgres_ = std::make_unique<catalog::ScratchPostgres>(); }
    static void TearDownTestSuite() { postgres_.reset(); }

    // A database and a data path for this test alone.
    void SetUp() override {
        const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        settings_ = small_box(postgres_->settings());
        settings_.postgres_db = name;
        settings_.data_path = settings_.data_dir + "/" + name + "/";
        endpoint_ = catalog::box_endpoint(settings_).value();
        auto server = postgres_->connect("boathouse", "postgres").value();
        server.execute("CREATE DATABASE " + server.identifier(name)).value();
    }

    Result<std::unique_ptr<Lake>> open() { return Lake::open(settings_, endpoint_); }
    catalog::Connection connection() { return postgres_->connect("boathouse", settings_.postgres_db).value(); }
    std::string option(const std::string& key) {
        const auto rows =
            connection().query("SELECT value FROM public.ducklake_metadata WHERE key = $1", {key}).value();
        return rows.empty() ? "absent" : rows.front().front().value_or("null");
    }
    // As a direct client would.
    void commit(const std::string& sql) {
        const auto database = Database::open(settings_, Scrubber(settings_, endpoint_)).value();
        attach(*database, endpoint_, AttachMode::open).value();
        database->query(sql).value();
    }

    static std::unique_ptr<catalog::ScratchPostgres> postgres_;
    config::Settings settings_;
    catalog::Endpoint endpoint_;
};

std::unique_ptr<catalog::ScratchPostgres> LakeTest::postgres_;

TEST_F(LakeTest, CreatesALakeWithTheOptionsOfTheSettings) {
    const auto lake = open();
    ASSERT_TRUE(lake) << lake.error().text();
    EXPECT_TRUE((*lake)->info().created);
    EXPECT_EQ((*lake)->info().version, "1.0");
    EXPECT_EQ((*lake)->info().data_path, settings_.data_path);
    EXPECT_EQ(option("parquet_compression"), "zstd");
    EXPECT_EQ(option("target_file_size"), "512000000");
    EXPECT_EQ(option("parquet_row_group_size"), "122880");
    EXPECT_EQ(option("data_inlining_row_limit"), "10");
    EXPECT_TRUE(std::filesystem::is_empty(settings_.data_path));
}

TEST_F(LakeTest, OpensWhatItCreatedAndSeesNewSnapshots) {
    open().value().reset();
    const auto lake = open();
    ASSERT_TRUE(lake) << lake.error().text();
    EXPECT_FALSE((*lake)->info().created);
    const auto before = (*lake)->newest_snapshot().value();
    commit("CREATE TABLE lake.t (i INTEGER)");
    EXPECT_EQ((*lake)->newest_snapshot().value(), before + 1);
}

TEST_F(LakeTest, CompletesAStartThatWasKilledBeforeTheOptions) {
    open().value().reset();
    connection().execute("DELETE FROM public.ducklake_metadata WHERE key = 'parquet_compression'").value();
    open().value().reset();
    EXPECT_EQ(option("parquet_compression"), "zstd");
}

TEST_F(LakeTest, LeavesTheOptionsOfALakeInUseAlone) {
    open().value().reset();
    commit("CREATE TABLE lake.t (i INTEGER)");
    connection().execute("DELETE FROM public.ducklake_metadata WHERE key = 'parquet_compression'").value();
    open().value().reset();
    EXPECT_EQ(option("parquet_compression"), "absent");
}

TEST_F(LakeTest, RefusesADataPathThatIsNotTheLakes) {
    open().value().reset();
    const std::string stored = settings_.data_path;
    settings_.data_path = settings_.data_dir + "/elsewhere/";
    const auto lake = open();
    ASSERT_FALSE(lake);
    EXPECT_EQ(lake.error().kind, ErrorKind::configuration);
    EXPECT_THAT(lake.error().message, HasSubstr(stored));
    EXPECT_THAT(lake.error().message, HasSubstr(settings_.data_path));
    EXPECT_FALSE(std::filesystem::exists(settings_.data_path));
}

TEST_F(LakeTest, RefusesACatalogOfANewerVersionUntouched) {
    open().value().reset();
    connection().execute("UPDATE public.ducklake_metadata SET value = '1.1' WHERE key = 'version'").value();
    const auto lake = open();
    ASSERT_FALSE(lake);
    EXPECT_EQ(lake.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(lake.error().message, HasSubstr("1.1"));
    EXPECT_EQ(option("version"), "1.1");
}

TEST_F(LakeTest, ADataPathThatCannotBeWrittenLeavesTheCatalogEmpty) {
    settings_.data_path = "/proc/sys/";
    const auto lake = open();
    ASSERT_FALSE(lake);
    EXPECT_EQ(lake.error().kind, ErrorKind::permission);
    auto catalog = connection();
    EXPECT_EQ(catalog::read_lake_record(catalog).error().kind, ErrorKind::not_found);
}

TEST_F(LakeTest, MissingExtensionsAreNamed) {
    settings_.extension_dir = settings_.data_dir + "/no-extensions";
    const auto lake = open();
    ASSERT_FALSE(lake);
    EXPECT_EQ(lake.error().kind, ErrorKind::configuration);
    EXPECT_THAT(lake.error().message, HasSubstr(settings_.extension_dir));
}

TEST_F(LakeTest, AWrongPasswordIsToldWithoutThePassword) {
    endpoint_.user = "nobody";
    endpoint_.password = Secret("tr0ub4dor&3");
    const auto lake = open();
    ASSERT_FALSE(lake);
    EXPECT_THAT(lake.error().text() + lake.error().detail, Not(HasSubstr("tr0ub4dor")));
}

TEST_F(LakeTest, AnswersAgainWhenPostgresHasCrashedAndComeBack) {
    const auto lake = open().value();
    const auto before = lake->newest_snapshot().value();
    postgres_->crash();
    const auto meanwhile = lake->newest_snapshot();
    ASSERT_FALSE(meanwhile);
    EXPECT_EQ(meanwhile.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(meanwhile.error().text(), Not(HasSubstr("user=")));
    postgres_->start();
    EXPECT_EQ(lake->newest_snapshot().value(), before);
}

TEST_F(LakeTest, AProbeCreatesNothing) {
    const auto report = probe(settings_, endpoint_);
    EXPECT_TRUE(report.duckdb);
    EXPECT_EQ(report.lake.error().kind, ErrorKind::not_found);
    EXPECT_EQ(report.data_path.error().kind, ErrorKind::not_found);
    EXPECT_FALSE(std::filesystem::exists(settings_.data_path));
    auto catalog = connection();
    EXPECT_EQ(catalog::read_lake_record(catalog).error().kind, ErrorKind::not_found);
}

TEST_F(LakeTest, AProbeOfAGoodLakeFindsNothingWrong) {
    open().value().reset();
    const auto report = probe(settings_, endpoint_);
    EXPECT_TRUE(report.duckdb);
    EXPECT_TRUE(report.lake);
    EXPECT_TRUE(report.data_path);
    EXPECT_EQ(report.lake_version, "1.0");
    EXPECT_EQ(report.data_path_text, settings_.data_path);
}

}  // namespace
}  // namespace boathouse::engine

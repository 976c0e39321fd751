#include "backup/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::backup {
namespace {

using Kind = RecoveryTarget::Kind;

std::vector<Manifest> two_backups() {
    Manifest first;
    first.id = "20261123T054205Z";
    first.finished_unix = 1795412525;
    first.snapshot_before = first.snapshot_after = 10;
    Manifest second;
    second.id = "20261123T064205Z";
    second.finished_unix = 1795416125;
    second.snapshot_before = 20;
    second.snapshot_after = 22;
    return {first, second};
}

TEST(ParseTimeTest, TakesWhatPeopleWrite) {
    EXPECT_EQ(parse_time("2026-11-23T05:42:05Z"), 1795412525);
    EXPECT_EQ(parse_time("2026-11-23 05:42:05.5"), 1795412525.5);
    EXPECT_EQ(parse_time("2026-11-23 07:42:05+02:00"), 1795412525);
    EXPECT_EQ(parse_time("2026-11-23 07:42:05 +02"), 1795412525);
    EXPECT_EQ(parse_time("2026-11-23 05:42"), 1795412520);
    EXPECT_EQ(parse_time("2026-11-23"), 1795392000);
    EXPECT_EQ(parse_time("yesterday"), std::nullopt);
    EXPECT_EQ(parse_time("2026-13-23"), std::nullopt);
}

TEST(PlanRestoreTest, StartsATimeFromTheBackupBeforeIt) {
    const auto plan = plan_restore(two_backups(), "2026-11-23 06:42:04.25Z").value();
    EXPECT_EQ(plan.backup.id, "20261123T054205Z");
    EXPECT_EQ(plan.target.kind, Kind::time);
    EXPECT_EQ(plan.target.value, "2026-11-23 06:42:04.250000+00");
    EXPECT_EQ(plan_restore(two_backups(), "2026-11-23 06:42:05Z").value().backup.id, "20261123T064205Z");
    EXPECT_EQ(plan_restore(two_backups(), "2026-11-23 05:42:04Z").error().kind, ErrorKind::not_found);
}

TEST(PlanRestoreTest, FindsASnapshotBetweenBackups) {
    const auto between = plan_restore(two_backups(), "snapshot 15").value();
    EXPECT_EQ(between.backup.id, "20261123T054205Z");
    EXPECT_EQ(between.target.kind, Kind::transaction);
    EXPECT_EQ(between.look_up_in, "20261123T064205Z");
    const auto during = plan_restore(two_backups(), "snapshot 21").value();
    EXPECT_EQ(during.backup.id, "20261123T054205Z") << "the second may hold a later one already";
    EXPECT_EQ(during.look_up_in, "");
    EXPECT_EQ(plan_restore(two_backups(), "snapshot 23").value().backup.id, "20261123T064205Z");
    EXPECT_EQ(plan_restore(two_backups(), "snapshot 10").value().target.kind, Kind::backup);
    EXPECT_EQ(plan_restore(two_backups(), "snapshot 9").error().kind, ErrorKind::not_found);
}

TEST(PlanRestoreTest, KnowsBackupsByTheirIds) {
    EXPECT_EQ(plan_restore(two_backups(), "20261123T054205Z").value().target.kind, Kind::backup);
    EXPECT_EQ(plan_restore(two_backups(), "latest").value().backup.id, "20261123T064205Z");
    EXPECT_EQ(plan_restore(two_backups(), "end").value().target.kind, Kind::end);
    EXPECT_EQ(plan_restore(two_backups(), "snapshot x").error().kind, ErrorKind::configuration);
    EXPECT_EQ(plan_restore({}, "latest").error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace boathouse::backup

#include "backup/prune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::backup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Manifest> ended_at(const std::vector<double>& times) {
    std::vector<Manifest> manifests;
    for (const double time : times) {
        Manifest manifest;
        manifest.id = std::to_string(static_cast<int>(time));
        manifest.finished_unix = time;
        manifests.push_back(manifest);
    }
    return manifests;
}

TEST(PruneTest, KeepsTheBackupThatTheOldestMomentNeeds) {
    const auto manifests = ended_at({100, 200, 300, 400});
    EXPECT_THAT(superseded(manifests, 250), ElementsAre("100"));
    EXPECT_THAT(superseded(manifests, 200), ElementsAre("100"));
    EXPECT_THAT(superseded(manifests, 199), IsEmpty());
}

TEST(PruneTest, KeepsTheNewestHoweverOld) {
    EXPECT_THAT(superseded(ended_at({100, 200}), 9999), ElementsAre("100"));
    EXPECT_THAT(superseded(ended_at({100}), 9999), IsEmpty());
    EXPECT_THAT(superseded({}, 9999), IsEmpty());
}

TEST(ManifestTest, ComesBackAsItWas) {
    Manifest manifest;
    manifest.id = "20261123T054205Z";
    manifest.finished_unix = 1795412525.25;
    manifest.snapshot_after = 42;
    manifest.base = {"base.tar.gz", {123, "abc"}};
    const auto read = manifest_from_json(to_json(manifest), "here").value();
    EXPECT_EQ(to_json(read), to_json(manifest));
    EXPECT_EQ(manifest_from_json("{\"format\": 1}", "here").error().kind, ErrorKind::corrupt);
    EXPECT_EQ(manifest_from_json("half", "here").error().kind, ErrorKind::corrupt);
}

TEST(ManifestTest, NamesMomentsInUtc) {
    EXPECT_EQ(id_of(1795412525), "20261123T054205Z");
    EXPECT_EQ(utc_text(1795412525), "2026-11-23T05:42:05Z");
}

}  // namespace
}  // namespace boathouse::backup

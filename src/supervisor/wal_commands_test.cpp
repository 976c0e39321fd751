#include "supervisor/wal_commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

TEST(WalCommandsTest, QuotesForTheShellAndForPostgres) {
    EXPECT_EQ(archive_command("/opt/it's/boathouse", "/data/100%/backup.toml"),
              R"('/opt/it'\''s/boathouse' backup archive-wal --config '/data/100%%/backup.toml' '%p')");
    EXPECT_EQ(restore_command("/bin/boathouse", "/data/backup.toml"),
              "'/bin/boathouse' backup fetch-wal --config '/data/backup.toml' '%f' '%p'");
}

}  // namespace
}  // namespace boathouse::supervisor

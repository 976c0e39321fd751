#include "syntax/privilege_statement.hpp"

#include <gtest/gtest.h>

namespace boathouse::syntax {
namespace {

const PrivilegeNames kNames{"public", "lake"};

std::string for_the_mirror(const char* text) {
    const auto statement = privilege_statement(text, kNames);
    if (!statement) return "another statement";
    return statement->refusal.empty() ? statement->text : "refused";
}

TEST(PrivilegeStatement, CallsMainWhatTheMirrorCallsIt) {
    EXPECT_EQ(for_the_mirror("GRANT SELECT ON main.t TO main"), "GRANT SELECT ON \"public\".t TO main");
    EXPECT_EQ(for_the_mirror("GRANT USAGE ON SCHEMA shop, main TO ana"),
              "GRANT USAGE ON SCHEMA shop, \"public\" TO ana");
    EXPECT_EQ(for_the_mirror("REVOKE ALL ON ALL TABLES IN SCHEMA MAIN FROM ana"),
              "REVOKE ALL ON ALL TABLES IN SCHEMA \"public\" FROM ana");
    EXPECT_EQ(for_the_mirror("ALTER DEFAULT PRIVILEGES IN SCHEMA main GRANT SELECT ON TABLES TO ana"),
              "ALTER DEFAULT PRIVILEGES IN SCHEMA \"public\" GRANT SELECT ON TABLES TO ana");
    EXPECT_EQ(for_the_mirror("ALTER TABLE \"main\".t OWNER TO ana"), "ALTER TABLE \"public\".t OWNER TO ana");
}

TEST(PrivilegeStatement, LeavesWhatDoesMoreToOthers) {
    EXPECT_EQ(for_the_mirror("ALTER TABLE t ADD COLUMN a int, OWNER TO ana"), "another statement");
    EXPECT_EQ(for_the_mirror("ALTER TABLE t RENAME TO owner"), "another statement");
    EXPECT_EQ(for_the_mirror("GRANT SELECT ON t TO ana; DROP TABLE t"), "another statement");
    EXPECT_EQ(for_the_mirror("GRANT lake_reader TO ana"), "another statement");
}

TEST(PrivilegeStatement, RefusesWhatIsNotKept) {
    EXPECT_EQ(for_the_mirror("GRANT EXECUTE ON FUNCTION f() TO ana"), "refused");
    EXPECT_EQ(for_the_mirror("GRANT CONNECT ON DATABASE lakehouse TO ana"), "refused");
    EXPECT_EQ(for_the_mirror("GRANT CONNECT ON DATABASE lake TO ana"), "GRANT CONNECT ON DATABASE lake TO ana");
    EXPECT_EQ(for_the_mirror("DROP OWNED BY ana"), "refused");
}

}  // namespace
}  // namespace boathouse::syntax

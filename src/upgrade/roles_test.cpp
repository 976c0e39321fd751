#include "upgrade/roles.hpp"

#include <gtest/gtest.h>

namespace boathouse::upgrade {
namespace {

constexpr const char* kDumped =
    "SET client_encoding = 'UTF8';\n"
    "CREATE ROLE ana;\n"
    "ALTER ROLE ana WITH LOGIN PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';\n"
    "CREATE ROLE boathouse;\n"
    "ALTER ROLE boathouse WITH SUPERUSER;\n"
    "GRANT lake_reader TO \"x GRANTED BY y\" WITH ADMIN OPTION GRANTED BY ana;\n";

TEST(PortableRoles, LeaveOutTheSuperuserWhomEveryClusterHas) {
    const std::string roles = portable_roles(kDumped, 16);
    EXPECT_EQ(roles.find("CREATE ROLE boathouse;"), std::string::npos);
    EXPECT_NE(roles.find("ALTER ROLE boathouse WITH SUPERUSER;\n"), std::string::npos);
    EXPECT_NE(roles.find("CREATE ROLE ana;\nALTER ROLE ana WITH LOGIN PASSWORD 'SCRAM-SHA-256$"), std::string::npos);
}

TEST(PortableRoles, HaveNoGrantorsFromBeforeTheseHadToBeEntitled) {
    EXPECT_NE(portable_roles(kDumped, 15).find("TO \"x GRANTED BY y\" WITH ADMIN OPTION;\n"), std::string::npos);
    EXPECT_NE(portable_roles(kDumped, 16).find("WITH ADMIN OPTION GRANTED BY ana;\n"), std::string::npos);
}

}  // namespace
}  // namespace boathouse::upgrade

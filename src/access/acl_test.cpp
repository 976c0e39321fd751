#include "access/acl.hpp"

#include <gtest/gtest.h>

namespace boathouse::access {
namespace {

constexpr Oid kAna = 100;
constexpr Oid kGroup = 200;
constexpr Oid kStranger = 300;

RoleFacts ana() {
    RoleFacts role;
    role.roles = {kAna, kGroup};
    return role;
}

RelationFacts table(Grants grants) {
    RelationFacts relation;
    relation.owner = kStranger;
    relation.grants = std::move(grants);
    return relation;
}

TEST(Acl, CountsGrantsToTheRoleItsGroupsAndPublic) {
    for (const Oid grantee : {kAna, kGroup, kPublic})
        EXPECT_TRUE(has_privilege(ana(), table({{grantee, Privilege::select}}), Privilege::select));
    EXPECT_FALSE(has_privilege(ana(), table({{kStranger, Privilege::select}}), Privilege::select));
    EXPECT_FALSE(has_privilege(ana(), table({{kAna, Privilege::select}}), Privilege::insert));
}

TEST(Acl, GivesAnOwnerNoMoreThanItsGrants) {
    RoleFacts owner;
    owner.roles = {kStranger};
    EXPECT_TRUE(owns(owner, kStranger));
    EXPECT_FALSE(has_privilege(owner, table({}), Privilege::select));
}

TEST(Acl, TakesAColumnsGrantsBesideTheTables) {
    RelationFacts relation = table({});
    relation.columns["a"] = {{kAna, Privilege::update}};
    EXPECT_TRUE(has_column_privilege(ana(), relation, "a", Privilege::update));
    EXPECT_FALSE(has_column_privilege(ana(), relation, "b", Privilege::update));
    EXPECT_FALSE(has_privilege(ana(), relation, Privilege::update));
    EXPECT_TRUE(has_any_column_privilege(ana(), relation, Privilege::update));
    EXPECT_FALSE(has_any_column_privilege(ana(), relation, Privilege::select));
}

TEST(Acl, KnowsTheRolesThatReadOrWriteEverything) {
    RoleFacts reader;
    reader.reads_all = true;
    EXPECT_TRUE(has_privilege(reader, table({}), Privilege::select));
    EXPECT_FALSE(has_privilege(reader, table({}), Privilege::insert));
    EXPECT_TRUE(has_privilege(reader, SchemaFacts{}, Privilege::usage));
    RoleFacts writer;
    writer.writes_all = true;
    EXPECT_TRUE(has_privilege(writer, table({}), Privilege::remove));
    EXPECT_FALSE(has_privilege(writer, table({}), Privilege::truncate));
    RoleFacts admin;
    admin.is_lake_admin = true;
    EXPECT_TRUE(has_privilege(admin, table({}), Privilege::truncate));
    EXPECT_TRUE(owns(admin, kStranger));
}

TEST(Acl, ReadsPostgresqlsWords) {
    EXPECT_EQ(privilege_named("DELETE"), Privilege::remove);
    EXPECT_EQ(privilege_named("TRIGGER"), Privilege::none);
}

}  // namespace
}  // namespace boathouse::access

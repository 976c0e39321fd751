#include "catalog/users.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/bootstrap.hpp"
#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

class Users : public testing::Test {
  protected:
    void SetUp() override {
        prepare_server(server_.settings()).value();
        Connection lake = server_.connect("boathouse", "lakehouse").value();
        create_lake_tables(lake);
        tune_catalog(server_.settings()).value();
    }

    std::string role_of(const std::string& name) {
        for (const User& user : list_users(box_).value()) {
            if (user.name == name) return user.lake_role;
        }
        return "absent";
    }

    ScratchPostgres server_;
    Connection box_ = server_.connect("boathouse", "postgres").value();
    Endpoint endpoint_ = box_endpoint(server_.settings()).value();
};

TEST_F(Users, EnterWithTheirPasswordAndAreListedWithTheirRole) {
    add_user(box_, {"ana \"lyst\"", "reader", Secret("p@ss")}).value();
    EXPECT_EQ(role_of("ana \"lyst\""), "reader");
    EXPECT_EQ(role_of("admin"), "admin");
    EXPECT_EQ(role_of("boathouse"), "absent");
    Connection analyst = server_.connect("ana \"lyst\"", "lakehouse", Secret("p@ss")).value();
    EXPECT_TRUE(analyst.query("SELECT * FROM public.ducklake_snapshot"));
    EXPECT_FALSE(analyst.execute("DELETE FROM public.ducklake_snapshot"));

    set_user_password(box_, "ana \"lyst\"", Secret("another")).value();
    EXPECT_FALSE(server_.connect("ana \"lyst\"", "lakehouse", Secret("p@ss")));
    EXPECT_TRUE(server_.connect("ana \"lyst\"", "lakehouse", Secret("another")));
}

TEST_F(Users, AreRefusedWhatWouldBreakTheBox) {
    EXPECT_EQ(add_user(box_, {"boathouse", "reader", Secret("p")}).error().kind, ErrorKind::configuration);
    EXPECT_EQ(add_user(box_, {"eve", "owner", Secret("p")}).error().kind, ErrorKind::configuration);
    EXPECT_EQ(add_user(box_, {"admin", "reader", Secret("p")}).error().kind, ErrorKind::conflict);
    EXPECT_EQ(remove_user(box_, endpoint_, "admin").error().kind, ErrorKind::conflict);
    EXPECT_EQ(remove_user(box_, endpoint_, "lake_writer").error().kind, ErrorKind::not_found);
    EXPECT_EQ(remove_user(box_, endpoint_, "boathouse").error().kind, ErrorKind::not_found);
    EXPECT_EQ(set_user_password(box_, "nobody", Secret("p")).error().kind, ErrorKind::not_found);
}

TEST_F(Users, AreRemovedAfterARemovalThatWasCutShort) {
    add_user(box_, {"ana", "reader", Secret("p")}).value();
    box_.execute("ALTER ROLE ana NOLOGIN").value();
    remove_user(box_, endpoint_, "ana").value();
    EXPECT_EQ(remove_user(box_, endpoint_, "ana").error().kind, ErrorKind::not_found);
}

TEST_F(Users, LeaveWhatTheyMadeBehind) {
    add_user(box_, {"writer", "writer", Secret("p")}).value();
    Connection writer = server_.connect("writer", "lakehouse", Secret("p")).value();
    writer.execute("CREATE TABLE public.ducklake_inlined_data_1_1 (a int); CREATE TABLE public.own (a int)").value();
    remove_user(box_, endpoint_, "writer").value();

    EXPECT_EQ(role_of("writer"), "absent");
    EXPECT_FALSE(writer.query("SELECT 1"));  // its session has ended
    Connection admin = server_.connect("admin", "lakehouse", server_.settings().postgres_password).value();
    const Rows owners = admin
                            .query(
                                "SELECT relname, pg_get_userbyid(relowner) FROM pg_class "
                                "WHERE relname IN ('ducklake_inlined_data_1_1', 'own') ORDER BY 1")
                            .value();
    EXPECT_THAT(owners, testing::ElementsAre(Row{"ducklake_inlined_data_1_1", "lake_writer"}, Row{"own", "admin"}));
}

}  // namespace
}  // namespace boathouse::catalog

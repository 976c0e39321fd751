#include "catalog/dump.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "catalog/scratch_postgres.hpp"

namespace boathouse::catalog {
namespace {

class Dump : public testing::Test {
  protected:
    ScratchPostgres server_;
    std::string file_ = server_.settings().data_dir + "/catalog.dump";

    Endpoint endpoint(const std::string& user, const std::string& password) const {
        Endpoint endpoint = box_endpoint(server_.settings()).value();
        endpoint.user = user;
        endpoint.password = Secret(password);
        endpoint.database = "postgres";
        return endpoint;
    }
};

TEST_F(Dump, HoldsTheDatabaseAndIsPrivate) {
    Connection connection = server_.connect("boathouse", "postgres").value();
    connection.execute("CREATE TABLE public.kept (a int); CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'it''s'").value();
    dump_database(endpoint("keeper", "it's"), {server_.pg_bin() + "/pg_dump", file_}).value();
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);

    connection.execute("DROP TABLE public.kept").value();
    const std::string restore = server_.pg_bin() + "/pg_restore -h " + server_.settings().data_dir +
                                "/run -U boathouse -d postgres -t kept " + file_;
    ASSERT_EQ(std::system(restore.c_str()), 0);
    EXPECT_TRUE(connection.query("SELECT a FROM public.kept"));
}

TEST_F(Dump, LeavesNothingWhenItFailsAndOverwritesNothing) {
    const DumpTarget target{server_.pg_bin() + "/pg_dump", file_};
    EXPECT_EQ(dump_database(endpoint("nobody", "wrong"), target).error().kind, ErrorKind::unavailable);
    EXPECT_FALSE(std::filesystem::exists(file_));
    EXPECT_EQ(dump_database(endpoint("boathouse", ""), {"/nonexistent/pg_dump", file_}).error().kind,
              ErrorKind::not_found);
    dump_database(endpoint("boathouse", ""), target).value();
    EXPECT_EQ(dump_database(endpoint("boathouse", ""), target).error().kind, ErrorKind::conflict);
}

}  // namespace
}  // namespace boathouse::catalog

#include "supervisor/postgres_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;
using testing::Not;

PostgresConfig example() {
    return {.listen = "127.0.0.1",
            .port = 5432,
            .socket_dir = "/data/it's, \"here\"/run",
            .connections_max = 200,
            .memory_mb = 8192,
            .tls = "on",
            .tls_cert_file = "/data/tls/server.crt",
            .tls_key_file = "/data/tls/server.key",
            .mirror_database = "lake",
            .os_user = "boathouse"};
}

TEST(PostgresConfigTest, QuotesWhatTheOperatorChose) {
    EXPECT_THAT(boathouse_conf(example()), HasSubstr(R"(unix_socket_directories = '"/data/it''s, ""here""/run"')"));
}

TEST(PostgresConfigTest, SizesByMemoryWithinBounds) {
    auto config = example();
    EXPECT_THAT(boathouse_conf(config), HasSubstr("shared_buffers = 512MB\n"));
    config.memory_mb = 64;
    EXPECT_THAT(boathouse_conf(config), HasSubstr("shared_buffers = 32MB\n"));
    config.memory_mb = 1 << 20;
    EXPECT_THAT(boathouse_conf(config), HasSubstr("shared_buffers = 1024MB\n"));
}

TEST(PostgresConfigTest, LeavesDurabilityAlone) {
    for (const char* setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
        EXPECT_THAT(boathouse_conf(example()), Not(HasSubstr(setting)));
    }
}

TEST(PostgresConfigTest, KeepsTheBoxesOwnRolesOffTheNetwork) {
    for (const char* tls : {"off", "on", "require"}) {
        auto config = example();
        config.tls = tls;
        const std::string hba = pg_hba_conf(config);
        const auto reject = hba.find("host    all  boathouse,boathouse_engine,boathouse_mirror  all  reject\n");
        const auto admit = hba.find("all  all  all  scram-sha-256");
        ASSERT_NE(reject, std::string::npos);
        ASSERT_NE(admit, std::string::npos);
        EXPECT_LT(reject, admit);
    }
}

TEST(PostgresConfigTest, LetsRolesIntoTheMirrorByThePrivateSocketAlone) {
    const std::string hba = pg_hba_conf(example());
    const auto admit = hba.find("local   \"lake\"  all  trust\n");
    const auto reject = hba.find("host    \"lake\"  all  all  reject\n");
    ASSERT_NE(admit, std::string::npos);
    ASSERT_NE(reject, std::string::npos);
    EXPECT_LT(hba.find("local   all  boathouse,"), admit) << "the superuser comes in by peer there too";
    EXPECT_LT(reject, hba.find("all  all  all  scram-sha-256"));
    EXPECT_EQ(hba.find("trust", admit + 30), std::string::npos);
    EXPECT_THAT(boathouse_conf(example()), HasSubstr("unix_socket_permissions = 0700\n"));
}

TEST(PostgresConfigTest, RequiresTlsOnlyWhenAsked) {
    auto config = example();
    EXPECT_THAT(pg_hba_conf(config), Not(HasSubstr("hostssl")));
    config.tls = "require";
    EXPECT_THAT(pg_hba_conf(config), HasSubstr("hostssl all  all  all  scram-sha-256"));
    EXPECT_THAT(pg_hba_conf(config), HasSubstr("hostnossl all all all reject"));
    EXPECT_THAT(boathouse_conf(config), HasSubstr("ssl_min_protocol_version = 'TLSv1.2'"));
    config.tls = "off";
    EXPECT_THAT(boathouse_conf(config), HasSubstr("ssl = off"));
}

}  // namespace
}  // namespace boathouse::supervisor

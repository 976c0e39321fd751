#include "pgwire/scram.hpp"

#include <gtest/gtest.h>

namespace boathouse::pgwire {
namespace {

// The example of RFC 7677, section 3: user "user", password "pencil". Its verifier in PostgreSQL's form.
constexpr const char* kVerifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
constexpr const char* kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

ScramServer::Options options() {
    ScramServer::Options result;
    result.verifier = parse_scram_verifier(kVerifier).value();
    result.server_nonce = kServerNonce;
    return result;
}

TEST(Scram, FollowsTheExampleOfRfc7677) {
    ScramServer server(options());
    EXPECT_EQ(server.first(kClientFirst, false).value(),
              "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    EXPECT_EQ(server.final(kClientFinal).value(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, RefusesAnotherProof) {
    ScramServer server(options());
    ASSERT_TRUE(server.first(kClientFirst, false).has_value());
    std::string wrong = kClientFinal;
    wrong[wrong.size() - 5] = wrong[wrong.size() - 5] == 'A' ? 'B' : 'A';
    EXPECT_EQ(server.final(wrong).error().kind, ErrorKind::permission);
}

TEST(Scram, RefusesTheRightProofForAnInventedVerifier) {
    ScramServer::Options doomed = options();
    doomed.doomed = true;
    ScramServer server(doomed);
    ASSERT_TRUE(server.first(kClientFirst, false).has_value());
    EXPECT_FALSE(server.final(kClientFinal).has_value());
}

TEST(Scram, NoticesThatChannelBindingWasTakenAway) {
    ScramServer::Options offered = options();
    offered.plus_offered = true;
    ScramServer server(offered);
    EXPECT_FALSE(server.first("y,,n=user,r=abc", false).has_value());
    EXPECT_FALSE(server.first("n,,n=user,r=abc", true).has_value());
    EXPECT_TRUE(server.first("p=tls-server-end-point,,n=user,r=abc", true).has_value());
}

TEST(Scram, RefusesMalformedMessages) {
    for (const char* message :
         {"", "n", "n,", "n,,", "n,a=admin,n=user,r=abc", "n,,r=abc", "n,,n=user", "n,,n=user,r="}) {
        ScramServer server(options());
        EXPECT_FALSE(server.first(message, false).has_value()) << message;
    }
    ScramServer server(options());
    ASSERT_TRUE(server.first(kClientFirst, false).has_value());
    for (const char* message : {"", "c=biws", "c=biws,r=other,p=AAAA", "p=AAAA"}) {
        EXPECT_FALSE(server.final(message).has_value()) << message;
    }
}

TEST(ParseScramVerifier, TakesPostgresqlsFormOnly) {
    EXPECT_EQ(parse_scram_verifier(kVerifier)->iterations, 4096);
    EXPECT_FALSE(parse_scram_verifier("").has_value());
    EXPECT_FALSE(parse_scram_verifier("md5aabbccddeeff00112233445566778899").has_value());
    EXPECT_FALSE(parse_scram_verifier("SCRAM-SHA-256$4096:c2FsdA==$AAAA:BBBB").has_value());
    EXPECT_FALSE(parse_scram_verifier("SCRAM-SHA-256$x:c2FsdA==$").has_value());
}

TEST(InventedVerifier, IsTheSameForTheSameName) {
    EXPECT_EQ(invented_scram_verifier("a", "secret").salt, invented_scram_verifier("a", "secret").salt);
    EXPECT_NE(invented_scram_verifier("a", "secret").salt, invented_scram_verifier("b", "secret").salt);
    EXPECT_NE(invented_scram_verifier("a", "secret").salt, invented_scram_verifier("a", "other").salt);
}

}  // namespace
}  // namespace boathouse::pgwire

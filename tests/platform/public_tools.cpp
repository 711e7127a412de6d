// SPDX-License-Identifier: Apache-2.0
// See public_tools.hpp.
#include "tests/platform/public_tools.hpp"

#include "dlaunch/model/child.hpp"
#include "dlaunch/session/base64.hpp"

#include <fstream>

namespace casemate::platform_test {

namespace fs = std::filesystem;

namespace {

// Reads a grant with a general CBOR library and checks its signature with openssl, by RFC 9052 section 4.4.
constexpr const char* read_grant = R"(
import cbor2, subprocess, sys
message = cbor2.loads(open(sys.argv[1], "rb").read())
assert message.tag == 18, "not COSE_Sign1"
protected, unprotected, payload, signature = message.value
assert cbor2.loads(protected) == {1: -7} and unprotected == {} and len(signature) == 64
claims = cbor2.loads(payload)
assert len(claims[7]) == 16 and len(claims[-65539]) == 32 and len(claims[-65540]) == 32
def integer(raw):
    raw = raw.lstrip(b"\0") or b"\0"
    raw = b"\0" + raw if raw[0] & 0x80 else raw
    return b"\x02" + bytes([len(raw)]) + raw
body = integer(signature[:32]) + integer(signature[32:])
open(sys.argv[3] + "/grant.sig", "wb").write(b"\x30" + bytes([len(body)]) + body)
open(sys.argv[3] + "/grant.tbs", "wb").write(cbor2.dumps(["Signature1", protected, b"", payload]))
subprocess.run(["openssl", "dgst", "-sha256", "-verify", sys.argv[2], "-signature", sys.argv[3] + "/grant.sig",
                sys.argv[3] + "/grant.tbs"], check=True, stdout=subprocess.DEVNULL)
)";

fs::path save(const Scratch& scratch, const char* name, const std::vector<std::uint8_t>& bytes) {
    const fs::path file = scratch.path() / name;
    std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                static_cast<std::streamsize>(bytes.size()));
    return file;
}

void expect_tool(Context& context, const std::string& sentence, std::vector<std::string> command) {
    const auto done = model::run_tool({.name = command.front(), .command = command, .environment = {}, .inherited = {}},
                                      model::Millis{30000});
    context.expect(done.ok(), sentence + (done.ok() ? "" : ": " + done.error().text));
}

} // namespace

void check_with_public_tools(Context& context, const Session& session) {
    const Scratch scratch;
    const auto evidence = session.last_evidence();
    const auto part = [&](const char* name) { return session::from_base64(evidence.is_object() ? evidence.value(name, nlohmann::json()) : nlohmann::json()); };
    expect_tool(context, "tpm2_eventlog parses the exported log", {"tpm2_eventlog", save(scratch, "log", part("log"))});
    std::string nonce;
    for (const std::uint8_t byte : part("qualifying_data")) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        nonce += digits;
    }
    expect_tool(context, "tpm2_checkquote verifies the exported quote",
                {"tpm2_checkquote", "-u", save(scratch, "ak.pub", part("ak_public")), "-m", save(scratch, "quote", part("quote")),
                 "-s", save(scratch, "signature", part("signature")), "-g", "sha256", "-q", nonce});

    const auto grants = session.ask_verifier("/v1/grants");
    const bool any = grants.is_object() && grants.contains("grants") && !grants["grants"].empty();
    if (!context.expect(any, "the verifier lists its grants")) return;
    const fs::path script = scratch.path() / "read_grant.py";
    std::ofstream{script} << read_grant;
    expect_tool(context, "python3-cbor2 and openssl read and verify a grant",
                {"/usr/bin/python3", script, save(scratch, "grant", session::from_base64(grants["grants"][0].value("cose", nlohmann::json()))),
                 session.keys() / "grant.pub.pem", scratch.path()});
}

} // namespace casemate::platform_test

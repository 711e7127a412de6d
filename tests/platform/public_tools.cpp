// SPDX-License-Identifier: Apache-2.0
// See public_tools.hpp.
#include "tests/platform/public_tools.hpp"

#include "dlaunch/model/child.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/session/base64.hpp"
#include "dlaunch/session/log_view.hpp"

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

/// SHA-256(nonce || launch_id || SHA-256(challenge_id)), docs/interfaces/verifier-api.md, in hex.
std::string qualifying_data(const nlohmann::json& answer, const session::LogView& log) {
    std::vector<std::uint8_t> bytes = session::from_base64(answer.value("nonce", nlohmann::json()));
    const std::string launch_id = log.ledger.empty() ? "" : log.ledger[0].value("launch_id", "");
    for (std::size_t i = 0; i + 1 < launch_id.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(launch_id.substr(i, 2), nullptr, 16)));
    const std::string challenge = answer.value("challenge_id", "");
    const auto binding = measure::sha256({reinterpret_cast<const std::uint8_t*>(challenge.data()), challenge.size()});
    bytes.insert(bytes.end(), binding.begin(), binding.end());
    return session::hex(measure::sha256(bytes));
}

} // namespace

void check_with_public_tools(Context& context, const Session& session) {
    const Scratch scratch;
    const auto answer = session.last_evidence();
    if (!context.expect(answer.is_object() && answer.contains("evidence"), "the verifier gives the newest evidence")) return;
    const auto part = [](const nlohmann::json& of, const char* name) {
        return session::from_base64(of.value(name, nlohmann::json()));
    };
    const auto& evidence = answer["evidence"];
    const auto log = part(evidence, "log");
    expect_tool(context, "tpm2_eventlog parses the exported log", {"tpm2_eventlog", save(scratch, "log", log)});
    std::vector<std::uint8_t> key = part(answer, "ak_public"); // TPMT_PUBLIC: the tools want a TPM2B_PUBLIC
    key.insert(key.begin(), {static_cast<std::uint8_t>(key.size() >> 8), static_cast<std::uint8_t>(key.size())});
    expect_tool(context, "tpm2_checkquote verifies the exported quote",
                {"tpm2_checkquote", "-u", save(scratch, "ak.pub", key), "-m", save(scratch, "quote", part(evidence, "quote")),
                 "-s", save(scratch, "signature", part(evidence, "signature")), "-g", "sha256", "-q",
                 qualifying_data(answer, session::view_log(log))});

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

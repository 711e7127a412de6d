// SPDX-License-Identifier: Apache-2.0
// Where a key is, in the words of --grant-key, and the file of its PIN: what is taken and what is refused.
#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include "attest/keystore/key_locator.hpp"
#include "attest/keystore/open_key.hpp"
#include "attest/keystore/secret_file.hpp"
#include "tests/unit/verifier_scratch.hpp"

using namespace casemate;
using namespace casemate::keystore;
using casemate::test::ScratchDirectory;

namespace {

std::string refusal(std::string_view text) {
    const auto locator = parse_locator(text);
    return locator.ok() ? "taken" : locator.error();
}

struct SecretFile {
    ScratchDirectory directory;
    std::string path = (directory / "pin").string();

    std::string read(const std::string& text, mode_t mode = 0600) {
        std::ofstream{path, std::ios::trunc} << text;
        ::chmod(path.c_str(), mode);
        const auto secret = read_secret(path);
        if (!secret) return "refused: " + secret.error();
        return {secret.value().bytes().begin(), secret.value().bytes().end()};
    }
};

} // namespace

TEST_CASE("a key is in a file, a token or a TPM", "[keystore]") {
    CHECK(std::get<FileLocator>(parse_locator("/etc/grant.pem").value()).path == "/etc/grant.pem");
    CHECK(std::get<FileLocator>(parse_locator("file:grant.pem").value()).path == "grant.pem");
    const std::string uri = "pkcs11:token=a;object=b?module-path=/usr/lib/x.so";
    CHECK(std::get<Pkcs11Locator>(parse_locator(uri).value()).uri == uri);
    const auto tpm = std::get<TpmLocator>(parse_locator("tpm:0x81010010?tcti=swtpm:path=/run/s").value());
    CHECK(tpm.handle == 0x81010010);
    CHECK(tpm.tcti == "swtpm:path=/run/s");
    CHECK(std::get<TpmLocator>(parse_locator("tpm:0x81000000").value()).tcti == "device:/dev/tpmrm0");
}

TEST_CASE("a key's place that is half said is refused with a sentence", "[keystore]") {
    for (const char* text : {"", "file:"}) CHECK(refusal(text) == "a key's file needs a path");
    for (const char* text : {"tpm:", "tpm:81010010", "tpm:0x8101001", "tpm:0x810100100", "tpm:0x40000001", "tpm:0x82000000", "tpm:0x8101001g",
                             "tpm:0x81010010 ", "tpm:-0x1010010"})
        CHECK(refusal(text).find("persistent handle") != std::string::npos);
    for (const char* text : {"tpm:0x81010010?", "tpm:0x81010010?tcti=", "tpm:0x81010010?tct", "tpm:0x81010010?password=x"})
        CHECK(refusal(text).find("only ?tcti=TCTI") != std::string::npos);
    CHECK(refusal(std::string_view{"file:a\0b", 8}) == "a key's place must not hold a zero byte");
}

TEST_CASE("a PIN on the command line is refused and not repeated", "[keystore]") {
    for (const char* text : {"pkcs11:object=a?pin-value=123456", "pkcs11:object=a?module-path=/x&pin-source=file:/tmp/123456"}) {
        CHECK(refusal(text).find("--grant-key-secret") != std::string::npos);
        CHECK(refusal(text).find("123456") == std::string::npos);
    }
}

TEST_CASE("a URI that names no library or no key opens nothing", "[keystore]") {
    const auto why = [](const char* text) { return open_key(text, "").error(); };
    CHECK(why("pkcs11:object=a").find("module-path") != std::string::npos);
    CHECK(why("pkcs11:object=a?module-path=relative.so").find("module-path") != std::string::npos);
    CHECK(why("pkcs11:object=a?module-path=/no/such/library.so").find("cannot load") != std::string::npos);
    CHECK(why("pkcs11:no%escape").find("not a PKCS#11 URI") != std::string::npos);
    CHECK(why("tpm:0x81010010?tcti=device:/no/such/tpm").find("connect to the TPM") != std::string::npos);
    CHECK(why("/no/such/file.pem") == "/no/such/file.pem: cannot read the key file");
}

TEST_CASE("a secret is the first line of a file that only this user can read", "[keystore]") {
    SecretFile file;
    CHECK(file.read("123456\n") == "123456");
    CHECK(file.read("123456") == "123456");
    CHECK(file.read(" two words \nnext line\n") == " two words ");
    CHECK(file.read(std::string(256, 'a')) == std::string(256, 'a'));
    for (const mode_t mode : {0640, 0604, 0660, 0644}) CHECK(file.read("123456", mode).find("mode 0600") != std::string::npos);
    for (const std::string& text : {std::string{}, std::string{"\n123456"}, std::string(257, 'a'), std::string(5000, 'a')})
        CHECK(file.read(text).find("a line of 1 to 256 bytes") != std::string::npos);
}

TEST_CASE("a secret is not read through a link, from a pipe or a directory", "[keystore]") {
    SecretFile file;
    REQUIRE(file.read("123456") == "123456");
    const std::string link = file.directory / "link";
    REQUIRE(::symlink(file.path.c_str(), link.c_str()) == 0);
    CHECK_FALSE(read_secret(link).ok());
    const std::string pipe = file.directory / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(read_secret(pipe).error().find("mode 0600") != std::string::npos); // and does not wait for a writer
    CHECK_FALSE(read_secret(file.directory.path()).ok());
    CHECK_FALSE(read_secret(file.directory / "absent").ok());
    CHECK(open_key(file.directory / "key.pem", file.path).error() == "a key in a file takes no secret");
}

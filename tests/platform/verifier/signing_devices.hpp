// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 token (SoftHSM) and a TPM (swtpm) with a signing key in each, made as docs/interfaces/grant-key.md says.
#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/platform/verifier/child.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace casemate::test {

inline constexpr const char* softhsm_library = "/usr/lib/softhsm/libsofthsm2.so";

inline void write_secret(const std::filesystem::path& file, const char* secret) {
    std::ofstream{file} << secret << "\n";
    ::chmod(file.c_str(), 0600);
}

inline void run_tool(std::vector<std::string> command) {
    CAPTURE(command.front());
    REQUIRE(Child{std::move(command)}.wait() == 0);
}

/// A token with a P-256 key "grant" in a directory of its own. SoftHSM finds it by an environment variable, which children inherit.
struct Token {
    ScratchDirectory directory;
    std::filesystem::path pin = directory / "pin";

    Token() {
        std::filesystem::create_directory(directory / "tokens");
        std::ofstream{directory / "softhsm2.conf"} << "directories.tokendir = " << (directory / "tokens").string()
                                                   << "\nobjectstore.backend = file\nlog.level = ERROR\n";
        ::setenv("SOFTHSM2_CONF", (directory / "softhsm2.conf").c_str(), 1);
        write_secret(pin, "24680135");
        run_tool({"softhsm2-util", "--init-token", "--free", "--label", "casemate", "--pin", "24680135", "--so-pin", "13579135"});
        make_key("grant", "01");
    }
    void make_key(const char* label, const char* id, const char* type = "EC:prime256v1") const {
        run_tool({"pkcs11-tool", "--module", softhsm_library, "--token-label", "casemate", "--login", "--pin", "24680135", "--keypairgen", "--key-type",
                  type, "--label", label, "--id", id, "--sensitive"});
    }
    void remove_key(const char* id) const {
        for (const char* kind : {"privkey", "pubkey"})
            run_tool({"pkcs11-tool", "--module", softhsm_library, "--token-label", "casemate", "--login", "--pin", "24680135", "--delete-object", "--type", kind,
                      "--id", id});
    }
    [[nodiscard]] static std::string uri(const std::string& key = "object=grant", const std::string& token = "casemate") {
        return "pkcs11:token=" + token + ";" + key + "?module-path=" + softhsm_library;
    }
};

/// A TPM with a signing key at 0x81010010 under the owner hierarchy, as an owner would make it.
struct OwnerTpm {
    ScratchDirectory directory;
    std::filesystem::path password = directory / "password";
    std::unique_ptr<Child> swtpm;

    OwnerTpm() {
        std::filesystem::create_directory(directory / "tpm");
        write_secret(password, "a long and random password");
        start();
        make_key("a long and random password");
    }
    void start() {
        std::filesystem::remove(directory / "sock");
        swtpm = std::make_unique<Child>(std::vector<std::string>{
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + (directory / "tpm").string(), "--server",
            "type=unixio,path=" + (directory / "sock").string(), "--ctrl",
            "type=unixio,path=" + (directory / "sock.ctrl").string(), "--flags", "not-need-init,startup-clear"});
        for (int i = 0; i < 1000 && !std::filesystem::exists(directory / "sock"); ++i) ::usleep(10'000);
        REQUIRE(std::filesystem::exists(directory / "sock"));
    }
    void tpm2(std::vector<std::string> command) const {
        command.insert(command.end(), {"-T", "swtpm:path=" + (directory / "sock").string()});
        run_tool(std::move(command));
    }
    void make_key(const char* secret, const char* attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign") const {
        const std::string context = directory / "key.ctx";
        tpm2({"tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "ecc256:ecdsa-sha256:null", "-a", attributes, "-p", secret, "-c", context});
        tpm2({"tpm2_evictcontrol", "-C", "o", "-c", context, "0x81010010"});
        tpm2({"tpm2_flushcontext", "-t"});
    }
    void remove_key() const { tpm2({"tpm2_evictcontrol", "-C", "o", "-c", "0x81010010"}); }
    [[nodiscard]] std::string locator(const char* handle = "0x81010010") const {
        return std::string{"tpm:"} + handle + "?tcti=swtpm:path=" + (directory / "sock").string();
    }
};

} // namespace casemate::test

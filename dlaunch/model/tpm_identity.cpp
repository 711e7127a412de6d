// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/tpm_identity.hpp"

#include "dlaunch/model/child.hpp"

#include <fstream>
#include <sstream>

namespace casemate::model {
namespace {

namespace fs = std::filesystem;
constexpr Millis setup_limit{60'000};

Status<Error> write_file(const fs::path& path, const std::string& text) {
    std::ofstream file{path, std::ios::trunc};
    file << text;
    file.close();
    if (!file) return fail("cannot write " + path.string());
    return Done{};
}

Status<Error> write_configuration(const fs::path& directory) {
    const std::string ca = (directory / "ca").string();
    TRY(write_file(directory / "localca.conf", "statedir = " + ca + "\nsigningkey = " + ca +
                                                   "/signkey.pem\nissuercert = " + ca +
                                                   "/issuercert.pem\ncertserial = " + ca + "/certserial\n"));
    TRY(write_file(directory / "localca.options", "--platform-manufacturer Casemate\n--platform-version 1.0\n"
                                                  "--platform-model Emulated\n"));
    return write_file(directory / "setup.conf",
                      "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " +
                          (directory / "localca.conf").string() +
                          "\ncreate_certs_tool_options = " + (directory / "localca.options").string() + "\n");
}

Status<Error> manufacture(const fs::path& directory, const std::string& banks) {
    const std::string at = directory.string();
    ChildSpec setup;
    setup.name = "swtpm_setup";
    setup.command = {"swtpm_setup",     "--tpm2",       "--tpm-state",          at,
                     "--config",        at + "/setup.conf", "--create-ek-cert", "--create-platform-cert",
                     "--lock-nvram",    "--pcr-banks",  banks,                  "--write-ek-cert-files",
                     at,                "--vmid",       "casemate-platform",    "--logfile",
                     at + "/setup.log"};
    setup.environment = {{"TMPDIR", at}, {"XDG_CONFIG_HOME", at}, {"HOME", at}};
    return run_tool(std::move(setup), setup_limit);
}

Status<Error> export_certificates(const fs::path& directory) {
    std::error_code failed;
    fs::rename(directory / "ek-rsa2048.crt", directory / "ek.crt", failed);
    if (failed) return fail("swtpm_setup wrote no RSA EK certificate: " + failed.message());
    std::stringstream chain;
    for (const char* part : {"issuercert.pem", "swtpm-localca-rootca-cert.pem"})
        chain << std::ifstream{directory / "ca" / part}.rdbuf();
    return write_file(directory / "ca.pem", chain.str());
}

} // namespace

Outcome<TpmIdentity> ensure_tpm(const fs::path& directory, const std::string& banks) {
    const TpmIdentity identity{directory, directory / "ek.crt", directory / "ca.pem"};
    if (fs::exists(identity.ca_certificates)) return identity; // written last: the TPM is complete
    std::error_code failed;
    fs::create_directories(directory / "ca", failed);
    fs::permissions(directory, fs::perms::owner_all, failed);
    if (failed) return fail("cannot use " + directory.string() + ": " + failed.message());
    TRY(write_configuration(directory));
    TRY(manufacture(directory, banks));
    TRY(export_certificates(directory));
    return identity;
}

} // namespace casemate::model

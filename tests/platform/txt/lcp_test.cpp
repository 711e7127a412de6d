// SPDX-License-Identifier: Apache-2.0
// The launch control policy by Debian's tools: made from a policy source, it names the tboot that the prediction names.
#include <catch2/catch.hpp>

#include "dlaunch/model/child.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "tests/unit/run_program.hpp"

#include <fstream>
#include <sstream>

#include <sys/wait.h>

using namespace casemate;
using test::Ran;
using test::run_program;

namespace {

const std::string build{CASEMATE_BUILD};

std::string contents(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
}

std::string without(std::string text, const std::string& letters) {
    std::erase_if(text, [&](char letter) { return letters.find(letter) != std::string::npos; });
    return text;
}

struct Scene {
    model::StateDir scratch = std::move(model::StateDir::create()).value();
    std::string directory = scratch.path().string();

    Scene() {
        write("policy.toml", contents(build + "/policy.toml") + "\n[txt]\ntboot_command_line = \"logging=serial,memory\"\nminimum_sinit = 0\n");
        REQUIRE(run_program("openssl genrsa -out " + directory + "/key.pem 2048").status == 0);
    }
    void write(const char* name, const std::string& text) const { std::ofstream{directory + "/" + name, std::ios::binary} << text; }
    [[nodiscard]] Ran make(const std::string& more, const std::string& key = "key.pem") const {
        return run_program(CASEMATE_MAKE_LCP " " + directory + "/policy.toml --key " + directory + "/" + key + " --out " + directory + "/lcp --tboot " + build +
                   "/tboot/boot/tboot.gz --tools " + build + "/tboot/usr/sbin --bin " + build + "/bin " + more);
    }
    [[nodiscard]] bool made() const { return std::filesystem::exists(directory + "/lcp/lcp.policy"); }
};

} // namespace

TEST_CASE("a launch control policy names tboot as the prediction does", "[txt][lcp]") {
    const Scene scene;
    const Ran ran = scene.make("--revision 7 --pcr 0=" + std::string(64, 'a') + " --pcr 7=" + std::string(64, 'b'));
    INFO(ran.output);
    REQUIRE(ran.status == 0);
    const Ran hash = run_program(build + "/bin/casemate-txt mle-hash --tboot " + build + "/tboot/boot/tboot.gz --tboot-command-line logging=serial,memory");
    REQUIRE(hash.output.size() == 65);
    const std::string ours = hash.output.substr(0, 64);
    CHECK(ran.output.find("mle_sha256=" + ours) != std::string::npos);
    const std::string words = without(contents(scene.directory + "/lcp/lcp.txt"), " \n\t");
    CHECK(words.find("hashes[0]:" + ours) != std::string::npos);
    CHECK(words.find("data_revocation_counters:7,") != std::string::npos);
    CHECK(words.find("type:'mle2'") != std::string::npos);
    CHECK(words.find("type:'pconf2'") != std::string::npos);
    CHECK(contents(scene.directory + "/lcp/lcp.data").starts_with("Intel(R) TXT LCP_POLICY_DATA"));
}

TEST_CASE("another command line is another tboot", "[txt][lcp]") {
    const Scene scene;
    REQUIRE(scene.make("").status == 0);
    const std::string first = contents(scene.directory + "/lcp/mle.hash");
    scene.write("policy.toml", contents(build + "/policy.toml") + "\n[txt]\ntboot_command_line = \"logging=serial\"\nminimum_sinit = 0\n");
    REQUIRE(scene.make("").status == 0);
    CHECK(contents(scene.directory + "/lcp/mle.hash") != first);
}

TEST_CASE("nothing is written when something is wrong", "[txt][lcp]") {
    const Scene scene;
    CHECK(scene.make("--pcr 8=" + std::string(64, 'a')).status == 1);
    CHECK(scene.make("--revision 65536").status == 1);
    CHECK(scene.make("--nothing").status == 2);
    CHECK(run_program("openssl ecparam -name prime256v1 -genkey -noout -out " + scene.directory + "/ec.pem").status == 0);
    CHECK(scene.make("", "ec.pem").status == 1);
    scene.write("policy.toml", contents(build + "/policy.toml"));
    const Ran ran = scene.make("");
    CHECK(ran.status == 1);
    CHECK(ran.output.find("has no [txt]") != std::string::npos);
    CHECK_FALSE(scene.made());
}

# SPDX-License-Identifier: Apache-2.0
# Writes a source file with the contents of the page's files: cmake -DOUTPUT=F -DDIRECTORY=D -DFILES=a;b -P embed.cmake
# index.html is served as "/", any other NAME as "/page/NAME".
set(types html "text/html\; charset=utf-8" css "text/css\; charset=utf-8" js "text/javascript\; charset=utf-8" svg "image/svg+xml")
set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS FILES)
  file(READ ${DIRECTORY}/${name} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "^.*\\." "" extension ${name})
  list(FIND types ${extension} at)
  if(at EQUAL -1)
    message(FATAL_ERROR "embed.cmake: no media type for ${name}")
  endif()
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  set(path /page/${name})
  if(name STREQUAL index.html)
    set(path /)
  endif()
  string(APPEND arrays "constexpr unsigned char file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", text(file_${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by the build of attest/verifier/page.
#include \"attest/verifier/page_files.hpp\"

namespace casemate::verifier {
namespace {

${arrays}
template <std::size_t size>
std::string_view text(const unsigned char (&bytes)[size]) {
    return {reinterpret_cast<const char*>(bytes), size}; // SAFETY: char may alias anything
}

} // namespace

std::span<const PageFile> page_files() {
    static const PageFile files[] = {
${rows}    };
    return files;
}

} // namespace casemate::verifier
")

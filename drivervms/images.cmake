# SPDX-License-Identifier: Apache-2.0
# Target `images`: ${CMAKE_BINARY_DIR}/images/{vmlinuz,net0.img,disk0.img,...} and a manifest beside each image.
# Everything depends on files only, so a second build does nothing.
set(images_dir ${CMAKE_BINARY_DIR}/images)
# Packed images boot as fast as plain ones under emulation, and there is a third as much to load and measure.
set(image_compression zstd CACHE STRING "none or zstd: what the initial RAM file systems are packed with")

# casemate_kernel(FLAVOUR FOLDER FILE UNPACKED): target FOLDER; Debian's kernel of that flavour as images/FILE and, unpacked, as
# images/UNPACKED; its modules in FOLDER
function(casemate_kernel flavour folder file unpacked)
  set(directory ${CMAKE_BINARY_DIR}/${folder})
  add_custom_command(OUTPUT ${directory}/vmlinuz ${directory}/package
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/image/fetch_kernel.sh ${directory} ${flavour}
    COMMAND ${CMAKE_COMMAND} -E touch ${directory}/vmlinuz ${directory}/package
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/image/fetch_kernel.sh
    COMMENT "Fetching and unpacking Debian's kernel package, flavour ${flavour}" VERBATIM)
  add_custom_command(OUTPUT ${images_dir}/${file}
    COMMAND ${CMAKE_COMMAND} -E copy ${directory}/vmlinuz ${images_dir}/${file}
    DEPENDS ${directory}/vmlinuz VERBATIM)
  add_custom_command(OUTPUT ${images_dir}/${unpacked}
    COMMAND casemate-kernel ${directory}/vmlinuz ${images_dir}/${unpacked}
    DEPENDS casemate-kernel ${directory}/vmlinuz
    COMMENT "Unpacking Debian's kernel, flavour ${flavour}" VERBATIM)
  add_custom_target(${folder} DEPENDS ${images_dir}/${file} ${images_dir}/${unpacked} ${directory}/package)
  add_custom_target(twice_${folder}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${images_dir}/again
    COMMAND casemate-kernel ${directory}/vmlinuz ${images_dir}/again/${unpacked}
    COMMAND ${CMAKE_COMMAND} -E compare_files ${images_dir}/${unpacked} ${images_dir}/again/${unpacked}
    VERBATIM)
  add_dependencies(twice_${folder} ${folder})
  add_dependencies(images_twice twice_${folder})
endfunction()

add_custom_target(images_twice) # builds each image a second time and compares every byte
casemate_kernel(amd64 kernel vmlinuz vmlinux)
casemate_kernel(cloud-amd64 kernel-cloud vmlinuz-cloud vmlinux-cloud)
add_custom_target(images ALL)
add_dependencies(images kernel kernel-cloud)

# casemate_vm_image(NAME INIT script KERNEL folder (default: kernel) APPLETS ... MODULES ... LINK_MODULES ... PROGRAMS TARGET=SOURCE ... FILES TARGET=SOURCE ... DEPENDS ...)
function(casemate_vm_image name)
  cmake_parse_arguments(arg "" "INIT;KERNEL" "APPLETS;MODULES;LINK_MODULES;PROGRAMS;FILES;DEPENDS" ${ARGN})
  if(NOT arg_KERNEL)
    set(arg_KERNEL kernel)
  endif()
  set(kernel_dir ${CMAKE_BINARY_DIR}/${arg_KERNEL})
  set(common ${CMAKE_SOURCE_DIR}/drivervms/image/common.sh)
  set(options --modules ${kernel_dir}/modules --compress ${image_compression}
      --directory /proc --directory /sys --directory /run --directory /tmp
      --program /bin/busybox=/usr/bin/busybox --program /init=${arg_INIT} --file /lib/casemate.sh=${common})
  set(sources ${arg_INIT} ${common} /usr/bin/busybox)
  foreach(applet sh cat dd echo insmod ip mount sleep watchdog ${arg_APPLETS})
    list(APPEND options --link /bin/${applet}=busybox)
  endforeach()
  foreach(module ${arg_MODULES})
    list(APPEND options --module ${module})
  endforeach()
  foreach(module ${arg_LINK_MODULES})
    list(APPEND options --link-module ${module})
  endforeach()
  foreach(kind program file)
    string(TOUPPER ${kind}S list_name)
    foreach(assignment ${arg_${list_name}})
      list(APPEND options --${kind} ${assignment})
      string(REGEX REPLACE "^[^=]*=" "" source ${assignment})
      list(APPEND sources ${source})
    endforeach()
  endforeach()
  add_custom_command(OUTPUT ${images_dir}/${name}.img ${images_dir}/${name}.json
    COMMAND ${CMAKE_COMMAND} -E make_directory ${images_dir}
    COMMAND casemate-image ${options} --out ${images_dir}/${name}.img --manifest ${images_dir}/${name}.json
    DEPENDS casemate-image ${kernel_dir}/package ${sources} ${arg_DEPENDS}
    COMMENT "Building the image of ${name}" VERBATIM)
  add_custom_target(image_${name} DEPENDS ${images_dir}/${name}.img)
  add_dependencies(image_${name} ${arg_KERNEL})
  add_dependencies(images image_${name})

  set(again ${images_dir}/again)
  add_custom_target(twice_${name}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${again}
    COMMAND casemate-image ${options} --out ${again}/${name}.img --manifest ${again}/${name}.json
    COMMAND ${CMAKE_COMMAND} -E compare_files ${images_dir}/${name}.img ${again}/${name}.img
    COMMAND ${CMAKE_COMMAND} -E compare_files ${images_dir}/${name}.json ${again}/${name}.json
    DEPENDS ${images_dir}/${name}.img VERBATIM)
  add_dependencies(twice_${name} image_${name})
  add_dependencies(images_twice twice_${name})
endfunction()

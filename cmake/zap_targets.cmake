# What all targets of this project share: warnings, sanitizers, include root.

set(ZAP_SANITIZE "" CACHE STRING "Sanitizers for everything, such as address,undefined or thread")

add_library(zap_options INTERFACE)
target_include_directories(zap_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(zap_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                             -Wno-missing-field-initializers
                                             # g++ 12 warns of std::string + (GCC 105651)
                                             $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                                             -Werror)
if(ZAP_SANITIZE)
  target_compile_options(zap_options INTERFACE -fsanitize=${ZAP_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(zap_options INTERFACE -fsanitize=${ZAP_SANITIZE})
endif()

# zap_library(NAME SOURCES a.cc b.cc PUBLIC dependencies... PRIVATE dependencies...)
function(zap_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC zap_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

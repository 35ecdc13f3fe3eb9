# The installed tree: lib/libkestrion.a, include/kestrion/FOLDER/*.hpp and what
# find_package(kestrion) needs.
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/kestrion")

install(TARGETS kestrion EXPORT kestrionTargets)
install(EXPORT kestrionTargets NAMESPACE kestrion:: DESTINATION "${config_dir}")

install(DIRECTORY messages store providers scheduler actors
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kestrion"
  FILES_MATCHING PATTERN "*.hpp"
  PATTERN "providers/http/internal" EXCLUDE
  PATTERN "store/sqlite_*" EXCLUDE)
install(FILES kestrion.hpp caf.hpp testing.hpp
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kestrion")

configure_package_config_file(cmake/kestrionConfig.cmake.in
  "${PROJECT_BINARY_DIR}/kestrionConfig.cmake"
  INSTALL_DESTINATION "${config_dir}")
# Before 1.0 each minor version may change the API.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/kestrionConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/kestrionConfig.cmake"
  "${PROJECT_BINARY_DIR}/kestrionConfigVersion.cmake"
  cmake/FindCAF.cmake
  DESTINATION "${config_dir}")
install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

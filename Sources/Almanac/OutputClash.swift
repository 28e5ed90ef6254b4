import Glibc

/// Refuses outputs that are what a command reads.
///
/// A file is one by its device and number, whatever names lead to it: relative ones, symbolic and hard links.
enum OutputClash {
  /// - Parameters:
  ///   - outputs: what is going to be written; `-` is standard output.
  ///   - inputs: what is read, and what it is called in messages; `-` is standard input.
  /// - Throws: `usage` for an output that is an input.
  static func check(_ outputs: [String], _ inputs: [(path: String, role: String)]) throws(AlmanacError) {
    for output in outputs {
      guard let written = File(output, standard: STDOUT_FILENO) else { continue }
      for input in inputs where File(input.path, standard: STDIN_FILENO) == written {
        let name = output == "-" ? "standard output" : output
        let other = input.path == output ? "" : input.path == "-" ? ", standard input" : ", \(input.path)"
        throw AlmanacError(
          .usage, "Cannot write \(name): it is \(input.role)\(other), which is being read", hint: "Write to another file.")
      }
    }
  }

  private struct File: Equatable {
    let device: UInt
    let number: UInt

    /// Nil for what is no regular file: pipes and devices may be read and written at once.
    init?(_ path: String, standard: Int32) {
      var status = stat()
      guard (path == "-" ? fstat(standard, &status) : stat(path, &status)) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      device = UInt(status.st_dev)
      number = UInt(status.st_ino)
    }
  }
}

extension Repository {
  /// Refuses outputs inside the folder that holds the repository's objects.
  func checkOutside(_ output: String) throws(AlmanacError) {
    guard output != "-", let store = Self.realPath(storeFolder) else { return }
    // A link may lead to a file that is not there yet.
    let new = OutputPlace.newFile(output) ?? output
    let slash = new.lastIndex(of: "/")
    let folder = slash.map { $0 == new.startIndex ? "/" : String(new[..<$0]) } ?? "."
    guard let place = Self.realPath(output) ?? Self.realPath(folder).map({ $0 + "/" }), (place + "/").hasPrefix(store + "/") else { return }
    throw AlmanacError(
      .usage, "Cannot write \(output): it lies in \(store), where the repository keeps its objects", hint: "Write to another folder.")
  }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

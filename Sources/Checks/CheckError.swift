/// Why a contract cannot be read, or why rows do not fit it.
package struct CheckError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The contract file, or the input whose rows were refused.
  package let file: String?
  /// Line and column from 1 in `file`; nil where the failure has no place in it.
  package let line: Int?
  package let column: Int?
  package let text: String

  package init(file: String? = nil, line: Int? = nil, column: Int? = nil, _ text: String) {
    self.file = file
    self.line = line
    self.column = column
    self.text = text
  }

  /// `schemas/transactions.yaml:12:5: unknown key minimun in …`.
  package var description: String {
    let place = [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
    return place.isEmpty ? text : "\(place): \(text)"
  }
}

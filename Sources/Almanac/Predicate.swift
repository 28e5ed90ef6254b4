import Columns
import Features

/// A boolean expression over a dataset's columns, as `checkout --where` takes it.
struct Predicate {
  private let expression: CompiledExpression
  var columns: [String] { expression.columns }

  init(_ text: String, schema: Schema) throws(AlmanacError) {
    expression = try AlmanacError.translating { try compileExpression(text, schema: schema, context: "--where") }
    guard expression.resultType == .bool else {
      throw AlmanacError(.failed, "Cannot filter by \(text): expected a bool expression, found \(expression.resultType)")
    }
  }

  /// The rows for which the expression is true (neither false nor null).
  func filter(_ batch: Batch) throws -> Batch {
    let result = try expression.evaluate(batch)
    let bits = result.bits
    return batch.filter(Bitmap((0..<batch.rowCount).map { result.isValid($0) && bits[$0] }))
  }
}
